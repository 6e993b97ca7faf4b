# diffsiam::io: weights, drawn pictures, compressed data sets and JSON, for the headers of io/ and those that stand on
# them.
find_package(PNG QUIET)
find_package(ZLIB QUIET)
find_package(nlohmann_json 3 QUIET CONFIG)
diffsiam_need(PNG_FOUND libpng-dev)
diffsiam_need(ZLIB_FOUND zlib1g-dev)
diffsiam_need(nlohmann_json_FOUND nlohmann-json3-dev)
diffsiam_component(io BASE diffsiam USES "PNG, zlib, JSON" LINK PNG::PNG ZLIB::ZLIB nlohmann_json::nlohmann_json)
