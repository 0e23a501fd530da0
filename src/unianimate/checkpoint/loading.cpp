#include "unianimate/checkpoint/loading.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <array>
#include <map>
#include <span>
#include <unordered_map>
#include <utility>

#include "unianimate/checkpoint/finite.h"
#include "unianimate/core/device.h"
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

/// A run of a tensor's rows as they come from the file.
struct Piece {
  at::Tensor values;            ///< the rows; of a tensor without axes the number itself
  std::int64_t first_row = 0;   ///< of the tensor
  std::span<const char> bytes;  ///< what `values` is a view of, valid until the next piece
};

bool is_dense(const TensorEntry& entry) {
  const Shape dense = dense_strides(entry.shape);
  for (std::size_t i = 0; i < entry.shape.size(); ++i) {
    if (entry.shape[i] != 1 && entry.strides[i] != dense[i]) return false;
  }
  return true;
}

/// Hands the tensor out in pieces that fit a processor's cache; one that is not dense in one piece. The bytes of the
/// latter may hold elements that are not the tensor's.
void for_each_piece(const Checkpoint& checkpoint, const TensorEntry& entry, const std::function<void(Piece)>& take) {
  constexpr std::int64_t kPieceBytes = std::int64_t{1} << 20;
  checkpoint.verify_storage(entry);
  if (entry.elements() == 0) return;
  const at::TensorOptions options = at::TensorOptions().dtype(scalar_type(entry.type));
  const std::int64_t size = element_size(entry.type);
  std::vector<char> bytes;
  const auto read = [&](std::int64_t first, std::int64_t elements) {
    bytes.resize(static_cast<std::size_t>(elements * size));
    checkpoint.read_storage(entry, static_cast<std::size_t>((entry.storage_offset + first) * size), bytes);
  };
  if (entry.shape.empty() || !is_dense(entry)) {
    std::int64_t last = 0;
    for (std::size_t i = 0; i < entry.shape.size(); ++i) last += (entry.shape[i] - 1) * entry.strides[i];
    read(0, last + 1);
    take({at::from_blob(bytes.data(), entry.shape, entry.strides, options), 0, bytes});
    return;
  }
  const std::int64_t row = entry.elements() / entry.shape[0];
  const std::int64_t rows_at_once = std::max<std::int64_t>(1, kPieceBytes / (row * size));
  for (std::int64_t first = 0; first < entry.shape[0]; first += rows_at_once) {
    Shape shape = entry.shape;
    shape[0] = std::min(rows_at_once, entry.shape[0] - first);
    read(first * row, shape[0] * row);
    take({at::from_blob(bytes.data(), shape, options), first, bytes});
  }
}

/// One tensor of the file and where it goes.
struct Transfer {
  const TensorEntry* entry;
  at::Tensor destination;  ///< of the file's shape
};

/// The part of `whole` that a tensor of the shape `found` fills, in that shape; empty where it does not fit.
std::optional<at::Tensor> destination_of(const at::Tensor& whole, const Placement& placement, const Shape& found) {
  at::Tensor part = whole;
  if (placement.parts > 1) {
    if (whole.dim() == 0 || whole.size(0) % placement.parts != 0) return std::nullopt;
    const std::int64_t rows = whole.size(0) / placement.parts;
    part = whole.narrow(0, placement.part * rows, rows);
  }
  if (placement.transposed && part.dim() == 2) part = part.t();
  if (placement.pointwise) {
    while (part.dim() > static_cast<std::int64_t>(found.size()) && part.size(-1) == 1) part = part.squeeze(-1);
    while (part.dim() < static_cast<std::int64_t>(found.size())) part = part.unsqueeze(-1);
  }
  if (!std::ranges::equal(part.sizes(), found)) return std::nullopt;
  return part;
}

std::vector<Transfer> match_names(const Checkpoint& checkpoint, const NamedTensors& destination,
                                  const LoadOptions& options, LoadReport& report) {
  std::unordered_map<std::string_view, const at::Tensor*> wanted;
  for (const NamedTensor& named : destination) wanted.emplace(named.name, &named.tensor);
  std::map<std::pair<std::string, int>, std::string> key_of_part;
  std::unordered_map<std::string, int> parts_left;
  std::vector<Transfer> transfers;
  for (const std::size_t i : checkpoint.file_order()) {
    const TensorEntry& entry = checkpoint.tensors()[i];
    const std::optional<Placement> placement =
        options.place ? options.place(entry.name) : std::optional(Placement{.name = entry.name});
    if (!placement) continue;
    const auto [known, inserted] = key_of_part.try_emplace({placement->name, placement->part}, entry.name);
    if (!inserted) {
      throw checkpoint.file().refusal("the keys '{}' and '{}' are both names of '{}'; remove one",
                                      printable(known->second), printable(entry.name), printable(placement->name));
    }
    --parts_left.try_emplace(placement->name, placement->parts).first->second;
    const auto found = wanted.find(placement->name);
    if (found == wanted.end()) {
      report.unexpected.push_back(entry.name);
    } else if (std::optional<at::Tensor> part = destination_of(*found->second, *placement, entry.shape)) {
      transfers.push_back({&entry, std::move(*part)});
    } else {
      report.shape_mismatch.push_back({placement->name, found->second->sizes().vec(), entry.shape});
    }
  }
  for (const NamedTensor& named : destination) {
    const auto left = parts_left.find(named.name);
    if (left == parts_left.end() || left->second > 0) report.missing.push_back(named.name);
  }
  return transfers;
}

/// The rows of `whole` that the piece belongs to.
at::Tensor rows_of(const at::Tensor& whole, const Piece& piece) {
  return whole.dim() == 0 ? whole : whole.narrow(0, piece.first_row, piece.values.size(0));
}

/// Counts in a tensor that comes piece by piece.
class NonFiniteCount {
 public:
  NonFiniteCount(const TensorEntry& entry, at::ScalarType type)
      : dense_(is_dense(entry)), entry_(entry), found_{entry.name, 0, 0, entry.elements(), type} {}

  void add(const Piece& piece) {
    const at::Tensor own = dense_ ? piece.values : piece.values.contiguous();
    const std::span<const char> bytes =
        dense_ ? piece.bytes : std::span(static_cast<const char*>(own.const_data_ptr()), own.nbytes());
    const std::int64_t count = count_nonfinite(bytes, entry_.type, found_.type);
    if (count == 0) return;
    found_.count += count;
    found_.own += count_nonfinite(bytes, entry_.type, scalar_type(entry_.type));
  }
  [[nodiscard]] std::optional<NonFinite> found() const {
    return found_.count > 0 ? std::optional(found_) : std::nullopt;
  }

 private:
  bool dense_;
  const TensorEntry& entry_;
  NonFinite found_;
};

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
  at::Tensor dense = at::empty(entry.shape, at::TensorOptions().dtype(scalar_type(entry.type)));
  for_each_piece(checkpoint, entry, [&](const Piece& piece) { rows_of(dense, piece).copy_(piece.values); });
  return dense;
}

std::string NonFinite::sentence() const {
  const bool in_file = own > 0;
  const std::int64_t values = in_file ? own : count;
  return fmt::format("'{}' holds {} of {} that {} {}", printable(name),
                     values == 1 ? "1 value" : fmt::format("{} values", values), elements, values == 1 ? "is" : "are",
                     in_file ? "not finite" : fmt::format("beyond what {} can hold", dtype_name(type)));
}

std::string sentence(const std::vector<NonFinite>& tensors) {
  const std::size_t others = tensors.size() - 1;
  const std::string more = others == 0   ? ""
                           : others == 1 ? ", and so does another tensor"
                                         : fmt::format(", and so do {} other tensors", others);
  return tensors.front().sentence() + more;
}

std::optional<NonFinite> find_nonfinite(const Checkpoint& checkpoint, const TensorEntry& entry, at::ScalarType type) {
  NonFiniteCount count(entry, type);
  for_each_piece(checkpoint, entry, [&](const Piece& piece) { count.add(piece); });
  return count.found();
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
  for (const auto& [entry, place] : transfers) {
    if (options.progress != nullptr) options.progress->throw_if_cancelled();
    NonFiniteCount count(*entry, place.scalar_type());
    for_each_piece(checkpoint, *entry, [&, &to = place](const Piece& piece) {
      count.add(piece);
      rows_of(to, piece).copy_(piece.values);
    });
    if (const std::optional<NonFinite> found = count.found()) {
      if (options.require_finite) {
        throw checkpoint.file().refusal("{}; fetch the file again, or use them as they are with --allow-nonfinite",
                                        found->sentence());
      }
      report.nonfinite.push_back(*found);
    }
    ++report.loaded;
    report.bytes += entry->bytes();
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
