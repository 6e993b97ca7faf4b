# diffsiam::npz: archives of numpy, for io/npz.hpp. Single arrays, .npy, need diffsiam::io alone.
diffsiam_find_library(ZIP zip.h zip)
diffsiam_need(DIFFSIAM_ZIP_FOUND libzip-dev)
diffsiam_component(npz BASE io USES libzip LINK ${DIFFSIAM_ZIP_LIBRARY} INCLUDE ${DIFFSIAM_ZIP_INCLUDE}
  DEFINE DIFFSIAM_WITH_NPZ)
