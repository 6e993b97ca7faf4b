# diffsiam::mpi: several processes, for dist/mpi.hpp. Of MPI's own flags only folders and libraries are taken, and its C
# interface alone.
find_package(MPI QUIET COMPONENTS CXX)
diffsiam_need(MPI_CXX_FOUND libopenmpi-dev)
set(libraries ${MPI_CXX_LIBRARIES})
list(FILTER libraries EXCLUDE REGEX "mpi_cxx|mpicxx")
diffsiam_component(mpi BASE diffsiam USES "MPI ${MPI_CXX_VERSION}" LINK ${libraries} INCLUDE ${MPI_CXX_INCLUDE_DIRS}
  DEFINE DIFFSIAM_WITH_MPI OMPI_SKIP_MPICXX MPICH_SKIP_MPICXX)
