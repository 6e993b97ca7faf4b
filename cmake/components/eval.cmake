# diffsiam::eval: eigenvalues and large products, for the headers of eval/ and value/eigen_tensor.hpp.
# Eigen's own version file refuses 5 to whoever asks for 3.4, so its version is judged here.
find_package(Eigen3 QUIET CONFIG)
if(Eigen3_FOUND AND Eigen3_VERSION VERSION_LESS 3.4)
  set(why "Eigen ${Eigen3_VERSION} is older than 3.4")
endif()
diffsiam_need(Eigen3_FOUND libeigen3-dev)
diffsiam_component(eval BASE io USES "Eigen ${Eigen3_VERSION}" LINK Eigen3::Eigen)
