# diffsiam::lmdb: pictures in LMDB, for data/lmdb_pictures.hpp.
diffsiam_find_library(LMDB lmdb.h lmdb)
diffsiam_need(DIFFSIAM_LMDB_FOUND liblmdb-dev)
diffsiam_component(lmdb BASE pictures USES LMDB LINK ${DIFFSIAM_LMDB_LIBRARY} INCLUDE ${DIFFSIAM_LMDB_INCLUDE}
  DEFINE DIFFSIAM_WITH_LMDB)
