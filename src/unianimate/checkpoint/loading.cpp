#include "unianimate/checkpoint/loading.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <array>
#include <unordered_map>

#include "unianimate/core/memory.h"

namespace unianimate::checkpoint {

namespace {

constexpr std::size_t kNamesInSummary = 8;

struct TypePair {
  ElementType element;
  at::ScalarType scalar;
};

constexpr std::array<TypePair, 15> kTypes{{
    {ElementType::kFloat64, at::kDouble},
    {ElementType::kInt64, at::kLong},
    {ElementType::kUInt64, at::kUInt64},
    {ElementType::kFloat32, at::kFloat},
    {ElementType::kInt32, at::kInt},
    {ElementType::kUInt32, at::kUInt32},
    {ElementType::kBFloat16, at::kBFloat16},
    {ElementType::kFloat16, at::kHalf},
    {ElementType::kInt16, at::kShort},
    {ElementType::kUInt16, at::kUInt16},
    {ElementType::kFloat8E5M2, at::kFloat8_e5m2},
    {ElementType::kFloat8E4M3, at::kFloat8_e4m3fn},
    {ElementType::kInt8, at::kChar},
    {ElementType::kUInt8, at::kByte},
    {ElementType::kBool, at::kBool},
}};

/// A tensor over the mapped bytes, which must not be written to. `scratch` takes a copy of those that are not aligned
/// as their type wants.
at::Tensor view_of(const Checkpoint& checkpoint, const TensorEntry& entry, std::vector<char>& scratch) {
  const at::TensorOptions options = at::TensorOptions().dtype(scalar_type(entry.type));
  if (entry.elements() == 0) return at::empty(entry.shape, options);
  const std::int64_t size = element_size(entry.type);
  std::int64_t last = 0;
  for (std::size_t i = 0; i < entry.shape.size(); ++i) last += (entry.shape[i] - 1) * entry.strides[i];
  const std::string_view bytes = checkpoint.storage_bytes(entry).substr(
      static_cast<std::size_t>(entry.storage_offset * size), static_cast<std::size_t>((last + 1) * size));
  const char* data = bytes.data();
  if (reinterpret_cast<std::uintptr_t>(data) % static_cast<std::uintptr_t>(size) != 0) {
    scratch.assign(bytes.begin(), bytes.end());
    data = scratch.data();
  }
  return at::from_blob(const_cast<char*>(data), entry.shape, entry.strides, options);
}

/// One tensor of the file and where it goes.
struct Transfer {
  const TensorEntry* entry;
  const at::Tensor* destination;
};

std::vector<Transfer> match_names(const Checkpoint& checkpoint, const NamedTensors& destination,
                                  const LoadOptions& options, LoadReport& report) {
  std::unordered_map<std::string_view, const at::Tensor*> wanted;
  for (const NamedTensor& named : destination) wanted.emplace(named.name, &named.tensor);
  std::unordered_map<std::string, std::string> key_of_name;
  std::vector<Transfer> transfers;
  for (const std::size_t i : checkpoint.file_order()) {
    const TensorEntry& entry = checkpoint.tensors()[i];
    if (!entry.name.starts_with(options.prefix)) continue;
    const std::string_view key = std::string_view(entry.name).substr(options.prefix.size());
    if (std::ranges::any_of(options.ignored_prefixes, [&](const auto& ignored) { return key.starts_with(ignored); })) {
      continue;
    }
    std::string name = options.rename ? options.rename(key) : std::string(key);
    const auto [known, inserted] = key_of_name.emplace(name, entry.name);
    if (!inserted) {
      throw checkpoint.file().refusal("the keys '{}' and '{}' are both names of '{}'; remove one",
                                      printable(known->second), printable(entry.name), printable(name));
    }
    const auto found = wanted.find(name);
    if (found == wanted.end()) {
      report.unexpected.push_back(std::move(name));
    } else if (!std::ranges::equal(found->second->sizes(), entry.shape)) {
      report.shape_mismatch.push_back({std::move(name), found->second->sizes().vec(), entry.shape});
    } else {
      transfers.push_back({&entry, found->second});
    }
  }
  for (const NamedTensor& named : destination) {
    if (!key_of_name.contains(named.name)) report.missing.push_back(named.name);
  }
  return transfers;
}

/// "NUMBER WHAT (first, second, ...)".
std::string enumerate(std::string_view what, const std::vector<std::string>& names) {
  const auto shown = static_cast<std::ptrdiff_t>(std::min(names.size(), kNamesInSummary));
  return fmt::format("{} {} ({}{})", names.size(), what, fmt::join(names.begin(), names.begin() + shown, ", "),
                     names.size() > kNamesInSummary ? ", …" : "");
}

std::vector<std::string> printable_names(std::vector<std::string> names) {
  std::ranges::transform(names, names.begin(), [](const std::string& name) { return printable(name); });
  return names;
}

}  // namespace

at::ScalarType scalar_type(ElementType type) {
  return std::ranges::find(kTypes, type, &TypePair::element)->scalar;
}

ElementType element_type(at::ScalarType type) {
  const auto* const found = std::ranges::find(kTypes, type, &TypePair::scalar);
  if (found == kTypes.end()) {
    throw Error(ErrorKind::kUsage, "checkpoints do not hold tensors of the type {}", c10::toString(type));
  }
  return found->element;
}

at::Tensor materialize(const Checkpoint& checkpoint, const TensorEntry& entry) {
  std::vector<char> scratch;
  at::Tensor dense = at::empty(entry.shape, at::TensorOptions().dtype(scalar_type(entry.type)));
  dense.copy_(view_of(checkpoint, entry, scratch));
  checkpoint.drop_storage(entry);
  return dense;
}

LoadReport compare_names(const Checkpoint& checkpoint, const NamedTensors& destination, const LoadOptions& options) {
  LoadReport report;
  report.file = checkpoint.file_name();
  match_names(checkpoint, destination, options, report);
  return report;
}

LoadReport load_into(const Checkpoint& checkpoint, const NamedTensors& destination, const LoadOptions& options) {
  LoadReport report;
  report.file = checkpoint.file_name();
  const std::vector<Transfer> transfers = match_names(checkpoint, destination, options, report);
  if (!report.ok()) return report;
  const at::NoGradGuard no_grad;
  std::vector<char> scratch;
  for (const Transfer& transfer : transfers) {
    if (options.progress != nullptr) options.progress->throw_if_cancelled();
    transfer.destination->copy_(view_of(checkpoint, *transfer.entry, scratch));
    checkpoint.drop_storage(*transfer.entry);
    ++report.loaded;
    report.bytes += transfer.entry->bytes();
  }
  return report;
}

std::string LoadReport::summary() const {
  if (ok()) return fmt::format("{} tensors ({}) loaded", loaded, format_bytes(bytes));
  std::vector<std::string> parts;
  if (!missing.empty()) parts.push_back(enumerate("missing", printable_names(missing)));
  if (!unexpected.empty()) parts.push_back(enumerate("unexpected", printable_names(unexpected)));
  if (!shape_mismatch.empty()) {
    std::vector<std::string> names;
    for (const ShapeMismatch& mismatch : shape_mismatch) {
      names.push_back(fmt::format("{}: expected [{}], found [{}]", printable(mismatch.name),
                                  fmt::join(mismatch.expected, ", "), fmt::join(mismatch.found, ", ")));
    }
    parts.push_back(enumerate("of another shape", names));
  }
  return fmt::format("{}", fmt::join(parts, "; "));
}

void LoadReport::require_ok() const {
  if (ok()) return;
  throw Error(ErrorKind::kInput, "{}: the tensors are not those the model needs: {}; choose the model's own file",
              printable(file), summary());
}

}  // namespace unianimate::checkpoint
