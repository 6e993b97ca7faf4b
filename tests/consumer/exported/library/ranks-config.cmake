include(CMakeFindDependencyMacro)
find_dependency(diffsiam 0.1 COMPONENTS eval)
include(${CMAKE_CURRENT_LIST_DIR}/ranks-targets.cmake)
