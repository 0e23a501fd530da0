#include "unianimate/checkpoint/safetensors_reader.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "unianimate/checkpoint/byte_reader.h"

// The layout: the header's size (64 bits, little endian), the header, then the tensors' bytes without gaps.

namespace unianimate::checkpoint {

namespace {

constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;
constexpr std::size_t kMaxNumbers = 16;  // in one list
constexpr std::string_view kMetadata = "__metadata__";

/// One tensor as the header describes it.
struct Description {
  std::string name;
  std::string type = {};
  std::vector<std::uint64_t> shape = {};
  std::vector<std::uint64_t> offsets = {};  // begin and end, from the first byte behind the header
  std::size_t fields = 0;
};

/// Takes the header's JSON event by event, so that a hostile one is refused at its first offence and no tree is built.
class HeaderHandler : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit HeaderHandler(const CheckpointFile& file) : file_(file) {}

  std::vector<Description> tensors;
  std::map<std::string, std::string> metadata;

  bool null() override { throw unexpected("null"); }
  bool boolean(bool) override { throw unexpected("a truth value"); }
  bool number_float(double, const std::string&) override { throw unexpected("a fraction"); }
  bool number_integer(std::int64_t) override { throw unexpected("a negative number"); }
  bool binary(nlohmann::json::binary_t&) override { throw unexpected("binary data"); }

  bool number_unsigned(std::uint64_t value) override {
    if (list_ == nullptr || list_->size() == kMaxNumbers) throw unexpected("a number");
    list_->push_back(value);
    return true;
  }

  bool string(std::string& value) override {
    if (inside_metadata_) {
      metadata[key_] = std::move(value);
    } else if (depth_ == 2 && list_ == nullptr && key_ == "dtype") {
      tensors.back().type = std::move(value);
    } else {
      throw unexpected("text");
    }
    return true;
  }

  bool start_object(std::size_t) override {
    if (depth_ == 2) throw unexpected("an object");
    ++depth_;
    keys_.clear();
    return true;
  }
  bool end_object() override {
    --depth_;
    inside_metadata_ = false;
    return true;
  }

  bool start_array(std::size_t) override {
    const bool expected = depth_ == 2 && list_ == nullptr && !inside_metadata_;
    if (expected && key_ == "shape") list_ = &tensors.back().shape;
    if (expected && key_ == "data_offsets") list_ = &tensors.back().offsets;
    if (!expected || list_ == nullptr) throw unexpected("a list");
    return true;
  }
  bool end_array() override {
    list_ = nullptr;
    return true;
  }

  bool key(std::string& value) override {
    std::unordered_set<std::string>& seen = depth_ == 1 ? names_ : keys_;
    if (!seen.insert(value).second) {
      throw file_.refusal("the header names '{}' twice; the file is damaged or hostile", printable(value));
    }
    key_ = std::move(value);
    if (depth_ == 1) {
      inside_metadata_ = key_ == kMetadata;
      if (!inside_metadata_) tensors.push_back({.name = key_});
    } else if (!inside_metadata_) {
      if (key_ != "dtype" && key_ != "shape" && key_ != "data_offsets") throw unexpected("a field");
      ++tensors.back().fields;
    }
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) override {
    throw file_.refusal("the header is no valid JSON at its byte {}; the file is damaged", position);
  }

 private:
  [[nodiscard]] Error unexpected(std::string_view found) const {
    return file_.refusal(
        "the header has {} at '{}', which safetensors files never have; the file is damaged or "
        "hostile",
        found, printable(key_));
  }

  const CheckpointFile& file_;
  std::unordered_set<std::string> names_;  // of tensors
  std::unordered_set<std::string> keys_;   // of the object inside
  std::string key_;
  std::vector<std::uint64_t>* list_ = nullptr;  // the list that is open
  int depth_ = 0;
  bool inside_metadata_ = false;
};

/// Where the tensor's bytes begin and end, from the first byte behind the header.
struct Extent {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

Extent add_tensor(const CheckpointFile& file, Description& description, std::size_t data_begin,
                  CheckpointContent& content) {
  const auto type = element_type_from_label(description.type);
  if (!type && description.fields == 3) {
    throw file.refusal("tensor '{}' is of the type '{}', which is not supported", printable(description.name),
                       printable(description.type));
  }
  if (description.fields != 3 || description.offsets.size() != 2) {
    throw file.refusal("the header describes tensor '{}' in part only; the file is damaged",
                       printable(description.name));
  }
  TensorEntry entry;
  entry.type = *type;
  for (const std::uint64_t length : description.shape) {
    entry.shape.push_back(length > std::numeric_limits<std::int64_t>::max() ? -1 : static_cast<std::int64_t>(length));
  }
  const auto elements = count_elements(entry.shape);
  const Extent extent{description.offsets[0], description.offsets[1]};
  const std::uint64_t room = file.size() - data_begin;
  if (extent.begin > extent.end || extent.end > room) {
    throw file.refusal(
        "tensor '{}' ends at byte {} and the file has {} bytes of tensors, so it is cut short or "
        "damaged; fetch it again",
        printable(description.name), extent.end, room);
  }
  const std::uint64_t size = extent.end - extent.begin;
  if (!elements || size != static_cast<std::uint64_t>(*elements * element_size(entry.type))) {
    throw file.refusal(
        "tensor '{}' of shape [{}] and type {} does not fit its {} bytes; the file is damaged or "
        "hostile",
        printable(description.name), fmt::join(description.shape, ", "), description.type, size);
  }
  entry.name = std::move(description.name);
  entry.strides = dense_strides(entry.shape);
  entry.storage = content.storages.size();
  content.storages.push_back({data_begin + extent.begin, size, {}});
  content.tensors.push_back(std::move(entry));
  return extent;
}

void refuse_gaps(const CheckpointFile& file, std::vector<Extent> extents, std::uint64_t data_size) {
  std::ranges::sort(
      extents, [](const Extent& a, const Extent& b) { return a.begin != b.begin ? a.begin < b.begin : a.end < b.end; });
  std::uint64_t end = 0;
  for (const Extent& extent : extents) {
    if (extent.begin != end) {
      throw file.refusal("two tensors overlap or leave a gap at byte {} of the tensors; the file is damaged or hostile",
                         extent.begin);
    }
    end = extent.end;
  }
  if (end != data_size) {
    throw file.refusal("the tensors take {} bytes and the file has {}; the file is damaged or hostile", end, data_size);
  }
}

}  // namespace

CheckpointContent read_safetensors(const CheckpointFile& file) {
  ByteReader reader(file, 0, file.size(), "the header");
  const auto header_size = reader.number<std::uint64_t>();
  if (header_size > kMaxHeaderBytes || header_size > reader.remaining()) {
    throw file.refusal("the header claims {} bytes and the file has {}, so it is cut short or damaged; fetch it again",
                       header_size, reader.remaining());
  }
  const std::string_view header = reader.take(header_size);
  // The parser would take one for the end of the text.
  if (const std::size_t zero = header.find('\0'); zero != std::string_view::npos) {
    throw file.refusal("the header has a zero byte at its byte {}, which no JSON has; the file is damaged or hostile",
                       zero);
  }
  HeaderHandler handler(file);
  nlohmann::json::sax_parse(header.begin(), header.end(), &handler);

  CheckpointContent content;
  content.container = Container::kSafetensors;
  content.metadata = std::move(handler.metadata);
  std::vector<Extent> extents;
  extents.reserve(handler.tensors.size());
  for (Description& description : handler.tensors) {
    extents.push_back(add_tensor(file, description, reader.position(), content));
  }
  refuse_gaps(file, std::move(extents), reader.remaining());
  return content;
}

}  // namespace unianimate::checkpoint
