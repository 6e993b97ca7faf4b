#!/usr/bin/env bash
# Uses the library as people do who have installed it; see CMakeLists.txt for the ways.
#
#   check_installed.sh install BUILD OUT                        installs into OUT/prefix, by way of another folder
#   check_installed.sh debian_package BUILD OUT                 what CPack makes holds the same files
#   check_installed.sh find_package|own_loss|exported OUT CXX   builds and runs a project on it
#   check_installed.sh own_loop|from_pytorch OUT CXX            the same, as docs/concepts/training.md and docs/weights.md say
#   check_installed.sh pkg_config|plain OUT CXX                 the same without CMake
#   check_installed.sh missing OUT CXX                          what CMake says where something is missing

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
way=$1
shift

# project SOURCE BUILD [cmake options...]: configures, builds and runs its program `consumer`.
project() {
  cmake -S "$1" -B "$2" -G Ninja -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_CXX_FLAGS=-O1 "${@:3}" >"$out/$way.log" 2>&1 ||
    { cat "$out/$way.log" >&2; return 1; }
  cmake --build "$2"
}

# refuses SENTENCE [cmake options...]: configuring the project `missing` fails, and says the sentence.
refuses() {
  local said
  rm -rf "$out/missing"
  if said=$(cmake -S "$here/missing" -B "$out/missing" -G Ninja -DCMAKE_CXX_COMPILER="$cxx" "${@:2}" 2>&1); then
    echo "CMake did not refuse: ${*:2}" >&2
    return 1
  fi
  said=$(tr -s ' \n' ' ' <<<"$said")  # CMake breaks lines
  if [[ $said != *"$1"* ]]; then
    printf 'CMake did not say "%s" but:\n%s\n' "$1" "$said" >&2
    return 1
  fi
}

if [[ $way == install ]]; then
  build=$1 out=$2
  rm -rf "$out"
  mkdir -p "$out"
  cmake --install "$build" --prefix "$out/first" >"$out/install.log"
  mv "$out/first" "$out/prefix"  # an installed library may be moved
  if grep -rIlF -e "$out/first" -e "$build" "$out/prefix"; then
    echo "these installed files name the folder they came from" >&2
    exit 1
  fi
  version=$(sed -n 's/^#define DIFFSIAM_VERSION_[A-Z]* //p' "$out/prefix/include/diffsiam/config.hpp" | paste -sd.)
  names_version() { grep -qF "$2" "$here/../../$1" || { echo "$1 names another version than $version" >&2; exit 1; }; }
  names_version packaging/vcpkg/diffsiam/vcpkg.json "\"version\": \"$version\""
  names_version README.md "libdiffsiam-dev_${version}_all.deb"
  names_version CHANGELOG.md "## $version "
  exit
fi

if [[ $way == debian_package ]]; then
  build=$1 out=$2
  mkdir -p "$out/debian"
  (cd "$out/debian" && cpack -G DEB --config "$build/CPackConfig.cmake" >cpack.log || { cat cpack.log >&2; exit 1; })
  dpkg-deb -x "$out"/debian/libdiffsiam-dev_*_all.deb "$out/debian/files"
  diff -rq "$out/prefix/include" "$out/debian/files/usr/include"
  diff -rq "$out/prefix/share" "$out/debian/files/usr/share"
  exit
fi

out=$1 cxx=$2
export CMAKE_PREFIX_PATH=$out/prefix PKG_CONFIG_PATH=$out/prefix/share/pkgconfig
case $way in
  find_package | own_loss)
    project "$here/$way" "$out/$way"
    "$out/$way/consumer"
    lines=$(cat "$here/own_loss"/* | wc -l)
    ((lines <= 60)) || { echo "a project with a loss of its own has $lines lines, where 60 are promised" >&2; exit 1; }
    ;;
  own_loop)
    project "$here/own_loop" "$out/own_loop"
    cd "$out/own_loop"
    rm -f whole.* resumed.*
    ./consumer whole 12
    ./consumer resumed 7
    ./consumer resumed 12
    cmp whole.safetensors resumed.safetensors  # a run that is resumed ends with the same bits
    ;;
  from_pytorch)
    project "$here/from_pytorch" "$out/from_pytorch"
    # Weights and the example are in one file there.
    from_pytorch=$here/../io/files/models/adm_unet.safetensors
    "$out/from_pytorch/consumer" "$from_pytorch" "$from_pytorch" "$out/from_pytorch/model.safetensors"
    ;;
  exported)
    project "$here/exported/library" "$out/library" -DCMAKE_INSTALL_PREFIX="$out/ranks"
    cmake --install "$out/library" >>"$out/exported.log"
    project "$here/exported/program" "$out/program" -Dranks_DIR="$out/ranks/lib/cmake/ranks"
    "$out/program/consumer"
    ;;
  pkg_config)
    # shellcheck disable=SC2046  # flags are words
    "$cxx" -std=c++20 -O1 $(pkg-config --cflags diffsiam-eval) "$here/find_package/main.cpp" \
      -o "$out/pkg_config" $(pkg-config --libs diffsiam-eval)
    "$out/pkg_config"
    [[ $(pkg-config --modversion diffsiam) == $(sed -n 's/.*PACKAGE_VERSION "\(.*\)".*/\1/p;T;q' \
      "$out/prefix/share/cmake/diffsiam/diffsiam-config-version.cmake") ]]
    ;;
  plain)
    "$cxx" -std=c++20 -O1 -pthread -I "$out/prefix/include" "$here/plain.cpp" -o "$out/plain"
    "$out/plain"
    ;;
  missing)
    no_png=-DCMAKE_DISABLE_FIND_PACKAGE_PNG=ON
    no_eigen=-DCMAKE_DISABLE_FIND_PACKAGE_Eigen3=ON
    refuses "diffsiam's component io cannot be used: missing: libpng-dev (Debian's names)." -DCOMPONENTS='COMPONENTS;io' $no_png
    refuses "diffsiam's component eval cannot be used: it needs diffsiam::io, missing: libpng-dev" \
      -DCOMPONENTS='COMPONENTS;eval' $no_png
    refuses "diffsiam's component eval cannot be used: missing: libeigen3-dev" -DCOMPONENTS='COMPONENTS;eval' $no_eigen
    refuses "diffsiam's component evil cannot be used: there is no such component; there are io, eval" \
      -DCOMPONENTS='COMPONENTS;evil'
    refuses "diffsiam::eval cannot be used, missing: libeigen3-dev (Debian's names)" $no_eigen
    refuses "requested version \"9.0\"" -DVERSION=9.0
    source=$(cd "$here/../.." && pwd)
    refuses "diffsiam::eval cannot be used, missing: libeigen3-dev (Debian's names)" -DDIFFSIAM_SOURCE="$source" $no_eigen
    ;;
  *) echo "unknown way $way" >&2; exit 2 ;;
esac
