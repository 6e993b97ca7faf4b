# What a user links: diffsiam::diffsiam, and the components (io, pictures, lmdb, npz, hnsw, onednn, cuda) whose libraries
# are installed.
# None carries a warning or an instruction set: those are the user's choice.

find_package(Threads REQUIRED)

# Eigen's own version file refuses 5 to whoever asks for 3.4, so its version is judged here.
find_package(Eigen3 QUIET CONFIG)
if(NOT Eigen3_FOUND OR Eigen3_VERSION VERSION_LESS 3.4)
  message(FATAL_ERROR
    "diffsiam needs Eigen 3.4 or newer (found: '${Eigen3_VERSION}'). On Debian: apt-get install libeigen3-dev")
endif()

add_library(diffsiam INTERFACE)
add_library(diffsiam::diffsiam ALIAS diffsiam)
target_compile_features(diffsiam INTERFACE cxx_std_20)
target_include_directories(diffsiam INTERFACE $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>)
target_link_libraries(diffsiam INTERFACE Threads::Threads Eigen3::Eigen)

# Adds the component diffsiam::NAME, which stands on diffsiam::BASE and links LIBRARIES, unless MISSING names
# Debian packages that were not found. USES says what it is for.
function(diffsiam_component name base uses missing)
  if(NOT missing STREQUAL "")
    list(JOIN missing ", " missing)
    message(STATUS "diffsiam::${name}: off, missing: ${missing} (Debian's names)")
  elseif(NOT TARGET diffsiam::${base} AND NOT base STREQUAL "diffsiam")
    message(STATUS "diffsiam::${name}: off, because diffsiam::${base} is")
  else()
    add_library(diffsiam_${name} INTERFACE)
    add_library(diffsiam::${name} ALIAS diffsiam_${name})
    target_link_libraries(diffsiam_${name} INTERFACE diffsiam::${base} ${ARGN})
    message(STATUS "diffsiam::${name}: on (${uses})")
  endif()
endfunction()

# Appends the Debian name of a package to the list `missing` unless it was found.
macro(diffsiam_need found debian_name)
  if(NOT ${found})
    list(APPEND missing ${debian_name})
  endif()
endmacro()

# Weights, drawn pictures, compressed data sets and JSON: for the headers of io/ and those that stand on them.
find_package(PNG QUIET)
find_package(ZLIB QUIET)
find_package(nlohmann_json 3 QUIET CONFIG)
set(missing "")
diffsiam_need(PNG_FOUND libpng-dev)
diffsiam_need(ZLIB_FOUND zlib1g-dev)
diffsiam_need(nlohmann_json_FOUND nlohmann-json3-dev)
diffsiam_component(io diffsiam "PNG, zlib, JSON" "${missing}" PNG::PNG ZLIB::ZLIB nlohmann_json::nlohmann_json)

# The rest has no configuration file of its own in Debian.
function(diffsiam_find_library name header library)
  find_path(DIFFSIAM_${name}_INCLUDE ${header})
  find_library(DIFFSIAM_${name}_LIBRARY ${library})
  mark_as_advanced(DIFFSIAM_${name}_INCLUDE DIFFSIAM_${name}_LIBRARY)
  if(DIFFSIAM_${name}_INCLUDE AND DIFFSIAM_${name}_LIBRARY AND NOT TARGET diffsiam_${name}_library)
    add_library(diffsiam_${name}_library INTERFACE)
    target_include_directories(diffsiam_${name}_library SYSTEM INTERFACE ${DIFFSIAM_${name}_INCLUDE})
    target_link_libraries(diffsiam_${name}_library INTERFACE ${DIFFSIAM_${name}_LIBRARY})
  endif()
endfunction()

# Folders of people's own pictures: data/picture_folder.hpp and what it reads with. WebP where it is found.
find_package(JPEG QUIET)
diffsiam_find_library(EXIF libexif/exif-data.h exif)
diffsiam_find_library(WEBP webp/decode.h webp)
set(missing "")
diffsiam_need(JPEG_FOUND libjpeg-dev)
diffsiam_need(DIFFSIAM_EXIF_LIBRARY libexif-dev)
set(webp ", no WebP: libwebp-dev is missing")
if(TARGET diffsiam_WEBP_library)
  set(webp ", WebP")
endif()
diffsiam_component(pictures io "PNG, JPEG, EXIF${webp}" "${missing}" JPEG::JPEG diffsiam_EXIF_library
  $<TARGET_NAME_IF_EXISTS:diffsiam_WEBP_library>)
if(TARGET diffsiam_pictures AND TARGET diffsiam_WEBP_library)
  target_compile_definitions(diffsiam_pictures INTERFACE DIFFSIAM_WITH_WEBP)
endif()

# Pictures in LMDB: data/lmdb_pictures.hpp.
diffsiam_find_library(LMDB lmdb.h lmdb)
set(missing "")
diffsiam_need(DIFFSIAM_LMDB_LIBRARY liblmdb-dev)
diffsiam_component(lmdb pictures "LMDB" "${missing}" diffsiam_LMDB_library)

# Arrays of numpy in archives: io/npz.hpp. Single ones, .npy, need nothing.
diffsiam_find_library(ZIP zip.h zip)
set(missing "")
diffsiam_need(DIFFSIAM_ZIP_LIBRARY libzip-dev)
diffsiam_component(npz io "libzip" "${missing}" diffsiam_ZIP_library)

# Approximate nearest neighbours: eval/hnsw_index.hpp.
find_path(DIFFSIAM_HNSW_INCLUDE hnswlib/hnswlib.h)
mark_as_advanced(DIFFSIAM_HNSW_INCLUDE)
set(missing "")
diffsiam_need(DIFFSIAM_HNSW_INCLUDE libhnswlib-dev)
diffsiam_component(hnsw io "hnswlib" "${missing}")
if(TARGET diffsiam_hnsw)
  target_include_directories(diffsiam_hnsw SYSTEM INTERFACE ${DIFFSIAM_HNSW_INCLUDE})
  # Its own kernels are functions that are not inline: the header would not link in two files.
  target_compile_definitions(diffsiam_hnsw INTERFACE NO_MANUAL_VECTORIZATION)
endif()

include(${CMAKE_CURRENT_LIST_DIR}/onednn.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/cuda.cmake)
