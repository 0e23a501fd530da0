// What the parts of gpu_check have in common: where to compute, how large, and where results go.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "unianimate/core/device.h"
#include "unianimate/family/unianimate/model_files.h"

namespace unianimate::benchmarks {

struct Setup {
  DeviceChoice device = DeviceChoice::kCuda;
  bool tiny = false;             ///< small models and pictures, for trying everything out on a CPU
  std::filesystem::path output;  ///< folder, which exists
  std::filesystem::path models;  ///< folder of the model that training goes on from; empty: one with random weights
  double seconds = 60;           ///< of training

  [[nodiscard]] family::ModelConfigs configs() const;
  /// The formats that are worth measuring on the device.
  [[nodiscard]] std::vector<DTypeChoice> dtypes() const;
};

/// One line of a table: what was measured, of which size, and what came out.
using Row = nlohmann::ordered_json;

/// Writes rows as `NAME.json` into the output folder, whole, so that what is done stays where later work fails.
void keep_rows(const Setup& setup, const std::string& name, const std::vector<Row>& rows);

/// Highest memory since it was made: what the allocator held of a card, or what is resident of the process.
class PeakMemory {
 public:
  explicit PeakMemory(at::Device device);
  [[nodiscard]] std::int64_t bytes() const;

 private:
  at::Device device_;
};

/// While it lives ATen computes what kernels of this program compute otherwise, on this device in this format.
class WithoutOwnKernels {
 public:
  explicit WithoutOwnKernels(const Compute& compute);
  ~WithoutOwnKernels();
  WithoutOwnKernels(const WithoutOwnKernels&) = delete;
  WithoutOwnKernels& operator=(const WithoutOwnKernels&) = delete;

 private:
  struct Table;
  std::unique_ptr<Table> table_;
};

/// The parts. Each keeps its rows and throws what its work throws.
/// What computes, and on a card a little of it: throws where there is none, or none of this program's kernels.
void try_device(const Setup& setup);
void bench_models(const Setup& setup);
void bench_clips(const Setup& setup);
void profile_kernels(const Setup& setup);
void train_a_piece(const Setup& setup);
/// Puts together what the parts and the tests have left in the output folder: gpu_check.json and gpu_check.md.
void write_report(const Setup& setup);

}  // namespace unianimate::benchmarks
