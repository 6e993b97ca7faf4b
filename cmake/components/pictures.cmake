# diffsiam::pictures: folders of people's own pictures, for data/picture_folder.hpp and what it reads with. WebP where it
# is found.
find_package(JPEG QUIET)
diffsiam_find_library(EXIF libexif/exif-data.h exif)
diffsiam_find_library(WEBP webp/decode.h webp)
diffsiam_need(JPEG_FOUND libjpeg-dev)
diffsiam_need(DIFFSIAM_EXIF_FOUND libexif-dev)
set(webp "no WebP: libwebp-dev is missing")
set(libraries JPEG::JPEG ${DIFFSIAM_EXIF_LIBRARY})
set(includes ${DIFFSIAM_EXIF_INCLUDE})
set(definitions "")
if(DIFFSIAM_WEBP_FOUND)
  set(webp WebP)
  list(APPEND libraries ${DIFFSIAM_WEBP_LIBRARY})
  list(APPEND includes ${DIFFSIAM_WEBP_INCLUDE})
  set(definitions DIFFSIAM_WITH_WEBP)
endif()
diffsiam_component(pictures BASE io USES "PNG, JPEG, EXIF, ${webp}"
  LINK ${libraries} INCLUDE ${includes} DEFINE ${definitions})
