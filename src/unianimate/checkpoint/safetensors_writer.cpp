#include "unianimate/checkpoint/safetensors_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "unianimate/checkpoint/loading.h"
#include "unianimate/core/error.h"
#include "unianimate/core/written_mark.h"

namespace unianimate::checkpoint {

namespace {

constexpr std::size_t kHeaderAlignment = 8;
constexpr std::string_view kMetadata = "__metadata__";

std::uint64_t bytes_of(const TensorPlan& plan) {
  return static_cast<std::uint64_t>(count_elements(plan.shape).value() * element_size(element_type(plan.type)));
}

std::vector<TensorPlan> in_file_order(std::vector<TensorPlan> plans) {
  std::ranges::sort(plans, [](const TensorPlan& a, const TensorPlan& b) {
    const ElementType type_a = element_type(a.type);
    const ElementType type_b = element_type(b.type);
    return type_a != type_b ? type_a < type_b : a.name < b.name;
  });
  return plans;
}

/// The header's size in 8 bytes, then the header, padded with spaces.
std::string make_header(const std::vector<TensorPlan>& plans, const Metadata& metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) {
    nlohmann::ordered_json about = nlohmann::ordered_json::object();
    // The mark stands first, where written_mark() looks for it.
    if (const auto mark = metadata.find(std::string(kMetadataMarkField)); mark != metadata.end()) {
      about[mark->first] = mark->second;
    }
    for (const auto& [name, value] : metadata) about[name] = value;
    header[std::string(kMetadata)] = std::move(about);
  }
  std::uint64_t end = 0;
  for (const TensorPlan& plan : plans) {
    const std::uint64_t begin = end;
    end += bytes_of(plan);
    header.push_back(
        {plan.name,
         {{"dtype", label(element_type(plan.type))}, {"shape", plan.shape}, {"data_offsets", {begin, end}}}});
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const nlohmann::json::exception&) {
    throw Error(ErrorKind::kUsage, "safetensors files hold UTF-8 only, and a tensor's name or the metadata is none");
  }
  text.append((kHeaderAlignment - text.size() % kHeaderAlignment) % kHeaderAlignment, ' ');
  const std::uint64_t size = text.size();
  std::string sized(sizeof(size), '\0');
  std::memcpy(sized.data(), &size, sizeof(size));
  return sized + text;
}

}  // namespace

Metadata marked(Metadata metadata) {
  metadata.insert_or_assign(std::string(kMetadataMarkField), std::string(kMark));
  return metadata;
}

SafetensorsWriter::Descriptor::Descriptor(const std::filesystem::path& path)
    : number(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) {
  if (number < 0) {
    throw Error(ErrorKind::kEnvironment, "{} cannot be created: {}", path.string(), std::strerror(errno));
  }
}

SafetensorsWriter::Descriptor::~Descriptor() {
  ::close(number);
}

SafetensorsWriter::SafetensorsWriter(const std::filesystem::path& path, const std::vector<TensorPlan>& plans,
                                     const Metadata& metadata)
    : output_(path), descriptor_(output_.temporary()) {
  const std::vector<TensorPlan> ordered = in_file_order(plans);
  const std::string header = make_header(ordered, metadata);
  std::uint64_t end = header.size();
  for (const TensorPlan& plan : ordered) {
    if (plan.name == kMetadata || !slots_.emplace(plan.name, Slot{plan, end, false}).second) {
      throw Error(ErrorKind::kUsage, "a tensor named '{}' cannot be added to {}: the name is taken",
                  printable(plan.name), path.string());
    }
    end += bytes_of(plan);
  }
  require_room(path, end, "the file");
  write_at(0, header.data(), header.size());
}

void SafetensorsWriter::write_at(std::uint64_t position, const char* data, std::size_t size) const {
  while (size > 0) {
    const ::ssize_t written = ::pwrite(descriptor_.number, data, size, static_cast<::off_t>(position));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      throw Error(ErrorKind::kEnvironment, "{} could not be written: {}", output_.final_path().string(),
                  std::strerror(errno));
    }
    position += static_cast<std::uint64_t>(written);
    data += written;
    size -= static_cast<std::size_t>(written);
  }
}

void SafetensorsWriter::write(const std::string& name, const at::Tensor& tensor) {
  const auto found = slots_.find(name);
  if (found == slots_.end() || !std::ranges::equal(tensor.sizes(), found->second.plan.shape)) {
    throw Error(ErrorKind::kUsage, "tensor '{}' of shape [{}] was not planned for {}", printable(name),
                fmt::join(tensor.sizes(), ", "), output_.final_path().string());
  }
  Slot& slot = found->second;
  const at::Tensor dense = tensor.detach().to(at::kCPU, slot.plan.type).contiguous();
  write_at(slot.begin, static_cast<const char*>(dense.const_data_ptr()), dense.nbytes());
  slot.written = true;
}

void SafetensorsWriter::finish() {
  for (const auto& [name, slot] : slots_) {
    if (!slot.written) {
      throw Error(ErrorKind::kUsage, "{} lacks its tensor '{}'", output_.final_path().string(), printable(name));
    }
  }
  output_.commit();
}

void save_safetensors(const std::filesystem::path& path, const NamedTensors& tensors, const Metadata& metadata,
                      std::optional<at::ScalarType> floating_type) {
  std::vector<TensorPlan> plans;
  for (const NamedTensor& named : tensors) {
    const bool convert = floating_type && at::isFloatingType(named.tensor.scalar_type());
    plans.push_back({named.name, convert ? *floating_type : named.tensor.scalar_type(), named.tensor.sizes().vec()});
  }
  SafetensorsWriter writer(path, plans, metadata);
  for (const NamedTensor& named : tensors) writer.write(named.name, named.tensor);
  writer.finish();
}

}  // namespace unianimate::checkpoint
