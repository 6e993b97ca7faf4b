# What a user links: diffsiam::diffsiam, and diffsiam::io and diffsiam::onednn where their libraries are installed.
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

# Pictures, compressed data sets and JSON: for the headers of io/ and those that stand on them.
find_package(PNG QUIET)
find_package(ZLIB QUIET)
find_package(nlohmann_json 3 QUIET CONFIG)
set(diffsiam_io_missing "")
if(NOT PNG_FOUND)
  list(APPEND diffsiam_io_missing libpng-dev)
endif()
if(NOT ZLIB_FOUND)
  list(APPEND diffsiam_io_missing zlib1g-dev)
endif()
if(NOT nlohmann_json_FOUND)
  list(APPEND diffsiam_io_missing nlohmann-json3-dev)
endif()

if(diffsiam_io_missing STREQUAL "")
  add_library(diffsiam_io INTERFACE)
  add_library(diffsiam::io ALIAS diffsiam_io)
  target_link_libraries(diffsiam_io INTERFACE diffsiam PNG::PNG ZLIB::ZLIB nlohmann_json::nlohmann_json)
  message(STATUS "diffsiam::io: on (PNG, zlib, JSON)")
else()
  list(JOIN diffsiam_io_missing ", " diffsiam_io_missing)
  message(STATUS "diffsiam::io: off, missing: ${diffsiam_io_missing} (Debian's names)")
endif()

include(${CMAKE_CURRENT_LIST_DIR}/onednn.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/cuda.cmake)
