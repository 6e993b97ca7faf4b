#include <filesystem>

#include <tests/data/files.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/data/fashion_mnist.hpp>

using namespace diffsiam;
using test::counting;
using test::idx_bytes;
using test::Scratch;

namespace {

void write_small(Scratch const& scratch) {
  test::write_bytes(scratch / "train-images-idx3-ubyte.gz", test::gzip(idx_bytes({3, 2, 2}, counting(12))));
  test::write_bytes(scratch / "train-labels-idx1-ubyte.gz", test::gzip(idx_bytes({3}, {9, 0, 1})));
  test::write_bytes(scratch / "t10k-images-idx3-ubyte", idx_bytes({2, 2, 2}, counting(8)));
  test::write_bytes(scratch / "t10k-labels-idx1-ubyte", idx_bytes({2}, {4, 5}));
}

}  // namespace

TEST_CASE("Fashion-MNIST is read from a folder, gzip or plain") {
  Scratch const scratch;
  write_small(scratch);
  data::FashionMnist const set = data::load_fashion_mnist(scratch.folder());
  REQUIRE(set.train.shape() == Shape{3, 2, 2, 1});
  REQUIRE(set.train.labels() == std::vector<int>{9, 0, 1});
  REQUIRE(set.test.shape() == Shape{2, 2, 2, 1});
  REQUIRE(data::FashionMnist::class_names[9] == "Ankle boot");
}

TEST_CASE("a missing part of Fashion-MNIST names the package that brings it") {
  Scratch const scratch;
  write_small(scratch);
  std::filesystem::remove(scratch / "t10k-labels-idx1-ubyte");
  REQUIRE_THROWS_WITH(data::load_fashion_mnist(scratch.folder()),
                      test::contains("t10k-labels-idx1-ubyte") && test::contains("dataset-fashion-mnist"));
}

TEST_CASE("what is no file does not stand before the file of Fashion-MNIST") {
  Scratch const scratch;
  write_small(scratch);
  // Beside the .gz, under the plain name: a folder, a link to nothing.
  std::filesystem::create_directory(scratch / "train-images-idx3-ubyte");
  std::filesystem::create_symlink("nothing", scratch / "train-labels-idx1-ubyte");
  REQUIRE(data::load_fashion_mnist(scratch.folder()).train.size() == 3);

  SECTION("a plain file that may not be read") {
    test::write_bytes(scratch / "t10k-labels-idx1-ubyte.gz", test::gzip(idx_bytes({2}, {4, 5})));
    std::filesystem::permissions(scratch / "t10k-labels-idx1-ubyte", std::filesystem::perms::none);
    std::filesystem::permissions(scratch.folder(), std::filesystem::perms::all);
    REQUIRE(test::message_in_child(test::become_nobody,
                                   [&] { (void)data::load_fashion_mnist(scratch.folder()); }) == "");
  }
  SECTION("nothing else: it is said what stands there") {
    std::filesystem::remove(scratch / "train-images-idx3-ubyte.gz");
    REQUIRE_THROWS_WITH(data::load_fashion_mnist(scratch.folder()),
                        test::contains("train-images-idx3-ubyte: a folder"));
  }
}

TEST_CASE("Fashion-MNIST is found under names with a dot, those with a hyphen first") {
  Scratch const scratch;
  test::write_bytes(scratch / "train-images.idx3-ubyte", idx_bytes({3, 2, 2}, counting(12)));
  test::write_bytes(scratch / "train-labels.idx1-ubyte", idx_bytes({3}, {9, 0, 1}));
  test::write_bytes(scratch / "t10k-images.idx3-ubyte.gz", test::gzip(idx_bytes({2, 2, 2}, counting(8))));
  test::write_bytes(scratch / "t10k-labels.idx1-ubyte", idx_bytes({2}, {4, 5}));
  REQUIRE(data::load_fashion_mnist(scratch.folder()).test.labels() == std::vector<int>{4, 5});
  test::write_bytes(scratch / "t10k-labels-idx1-ubyte.gz", test::gzip(idx_bytes({2}, {6, 7})));
  REQUIRE(data::load_fashion_mnist(scratch.folder()).test.labels() == std::vector<int>{6, 7});
}

TEST_CASE("pictures and labels of Fashion-MNIST that do not match are refused") {
  Scratch const scratch;
  write_small(scratch);
  SECTION("another count") {
    test::write_bytes(scratch / "t10k-labels-idx1-ubyte", idx_bytes({3}, {4, 5, 6}));
    REQUIRE_THROWS_WITH(data::load_fashion_mnist(scratch.folder()),
                        test::contains("expected 2 labels") && test::contains("got 3"));
  }
  SECTION("an eleventh class") {
    test::write_bytes(scratch / "t10k-labels-idx1-ubyte", idx_bytes({2}, {4, 10}));
    REQUIRE_THROWS_WITH(data::load_fashion_mnist(scratch.folder()),
                        test::contains("labels below 10") && test::contains("got 10"));
  }
}

TEST_CASE("the installed Fashion-MNIST has its known size, means and counts") {
  if (!std::filesystem::exists(data::FashionMnist::debian_folder)) {
    WARN("dataset-fashion-mnist is not installed");
    return;
  }
  data::FashionMnist const set = data::load_fashion_mnist();
  REQUIRE(set.train.shape() == Shape{60000, 28, 28, 1});
  REQUIRE(set.test.shape() == Shape{10000, 28, 28, 1});
  std::vector<int> per_class(10);
  for (int const label : set.train.labels()) ++per_class[static_cast<std::size_t>(label)];
  REQUIRE(per_class == std::vector<int>(10, 6000));
  std::uint64_t sum = 0;
  for (Index i = 0; i < set.train.size(); ++i)
    for (std::uint8_t const pixel : set.train.pixels(i)) sum += pixel;
  REQUIRE(static_cast<double>(sum) / (60000.0 * 784 * 255) == test::Approx(0.2860).margin(5e-5));
}
