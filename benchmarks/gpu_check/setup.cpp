#include "gpu_check/setup.h"

#include <ATen/DeviceAccelerator.h>

#include "support/rule_models.h"
#include "unianimate/core/memory.h"
#include "unianimate/core/output_file.h"
#include "unianimate/nn/ops/ops.h"

namespace unianimate::benchmarks {

family::ModelConfigs Setup::configs() const {
  return tiny ? testing::small_model_configs() : family::ModelConfigs{};
}

std::vector<DTypeChoice> Setup::dtypes() const {
  if (device == DeviceChoice::kCpu) return {DTypeChoice::kFloat32, DTypeChoice::kBFloat16};
  return {DTypeChoice::kBFloat16, DTypeChoice::kFloat16};
}

void keep_rows(const Setup& setup, const std::string& name, const std::vector<Row>& rows) {
  write_file_atomically(setup.output / (name + ".json"), Row(rows).dump(2) + "\n");
}

PeakMemory::PeakMemory(at::Device device) : device_(device) {
  if (device.is_cpu()) {
    reset_peak_memory();
  } else {
    at::accelerator::emptyCache();
    at::accelerator::resetPeakStats(device.index());
  }
}

std::int64_t PeakMemory::bytes() const {
  if (device_.is_cpu()) return peak_resident_bytes();
  const auto aggregate = static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE);
  return at::accelerator::getDeviceStats(device_.index()).reserved_bytes[aggregate].peak;
}

struct WithoutOwnKernels::Table {
  nn::KernelDevice device;
  nn::KernelElement element;
  nn::Ops ops;
};

WithoutOwnKernels::WithoutOwnKernels(const Compute& compute) {
  const nn::KernelElement element = compute.dtype == at::kFloat      ? nn::KernelElement::kFloat
                                    : compute.dtype == at::kBFloat16 ? nn::KernelElement::kBFloat16
                                                                     : nn::KernelElement::kHalf;
  const at::Tensor one = at::zeros({1}, at::TensorOptions(compute.device).dtype(compute.dtype));
  table_ =
      std::make_unique<Table>(Table{static_cast<nn::KernelDevice>(compute.device.type()), element, nn::ops_for(one)});
  nn::register_ops(table_->device, element, {});
}

WithoutOwnKernels::~WithoutOwnKernels() {
  nn::register_ops(table_->device, table_->element, table_->ops);
}

}  // namespace unianimate::benchmarks
