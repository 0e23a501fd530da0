// One call of the UNet and of the decoder at the sizes that people ask for.
#include <fmt/format.h>

#include <optional>

#include "gpu_check/setup.h"
#include "model_speed.h"

namespace unianimate::benchmarks {

namespace {

constexpr int kPixelsOfALatent = 8;

struct Size {
  int width;
  int height;
  std::int64_t frames;
};

std::vector<Size> sizes(const Setup& setup) {
  if (setup.tiny) return {{64, 64, 3}};
  return {{512, 768, 32}, {768, 1216, 32}};
}

at::Tensor bits(const at::Tensor& x) {
  return x.contiguous().view(at::kByte);
}

class ModelBench {
 public:
  ModelBench(const Setup& setup, DTypeChoice dtype) : setup_(setup), compute_(choose_compute(setup.device, dtype)) {}

  void measure(std::vector<Row>& rows) {
    const BestRates rates = measure_best_rates(options(), kPace);
    best_ = rates.best();
    rows.push_back({{"what", "best rates"},
                    {"dtype", dtype_name(compute_.dtype)},
                    {"convolution_tflops", rates.convolution / kTera},
                    {"product_tflops", rates.product / kTera}});
    for (const Size& size : sizes(setup_)) {
      // One window, and both passes of guidance in one batch.
      for (const std::int64_t batch : {1, 2}) measure_unet(size, batch, rows);
      for (const std::int64_t frames : {1, 8}) measure_decoder(size, frames, rows);
    }
  }

 private:
  static constexpr Pace kPace{.repeat = 2, .seconds = 0.5};
  static constexpr double kTera = 1e12;

  [[nodiscard]] at::TensorOptions options() const {
    return at::TensorOptions().device(compute_.device).dtype(compute_.dtype);
  }

  void measure_unet(const Size& size, std::int64_t batch, std::vector<Row>& rows) {
    const UNetCall unet(setup_.configs().unet,
                        {batch, size.frames, size.height / kPixelsOfALatent, size.width / kPixelsOfALatent}, options());
    const bool same_bits = at::equal(bits(unet()), bits(unet()));
    for (const bool own : {true, false}) {
      if (!own && batch > 1) continue;
      std::optional<WithoutOwnKernels> without;
      if (!own) without.emplace(compute_);
      Row row = timed({.width = size.width, .height = size.height, .frames = size.frames}, "unet", unet.operations(),
                      [&] { return unet(); });
      row["batch"] = batch;
      row["own_kernels"] = own;
      if (own) row["same_bits"] = same_bits;
      rows.push_back(row);
    }
  }

  void measure_decoder(const Size& size, std::int64_t frames, std::vector<Row>& rows) {
    const DecoderCall<models::Autoencoder> decoder(setup_.configs().autoencoder, frames, size.height / kPixelsOfALatent,
                                                   size.width / kPixelsOfALatent, options());
    rows.push_back(timed({.width = size.width, .height = size.height, .frames = frames}, "decoder",
                         decoder.operations(), [&] { return decoder(); }));
  }

  template <typename Work>
  [[nodiscard]] Row timed(const Size& size, const char* what, double operations, const Work& work) const {
    const PeakMemory memory(compute_.device);
    const double seconds = best_seconds(kPace, work);
    return {{"what", what},
            {"size", fmt::format("{}x{}", size.width, size.height)},
            {"frames", size.frames},
            {"dtype", dtype_name(compute_.dtype)},
            {"seconds", seconds},
            {"tflop", operations / kTera},
            {"tflops", operations / seconds / kTera},
            {"share_of_best", operations / seconds / best_},
            {"peak_bytes", memory.bytes()}};
  }

  const Setup& setup_;
  Compute compute_;
  double best_ = 0;
};

}  // namespace

void bench_models(const Setup& setup) {
  const c10::InferenceMode inference;
  std::vector<Row> rows;
  for (const DTypeChoice dtype : setup.dtypes()) {
    ModelBench(setup, dtype).measure(rows);
    keep_rows(setup, "bench", rows);
  }
}

}  // namespace unianimate::benchmarks
