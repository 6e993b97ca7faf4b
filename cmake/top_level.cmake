# Conveniences for those who work on the project itself.
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release, RelWithDebInfo or MinSizeRel" FORCE)
endif()

set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_CXX_EXTENSIONS OFF)

find_program(DIFFSIAM_CCACHE ccache)
if(DIFFSIAM_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # ccache knows precompiled headers by their content, if it is told that this is enough.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${DIFFSIAM_CCACHE})
endif()
