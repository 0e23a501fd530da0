#include "support/torch_zip_writer.h"

#include <zlib.h>

#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string_view>
#include <unordered_map>

namespace unianimate::testing {

namespace {

template <typename T>
void append(std::string& bytes, T number) {
  bytes.append(reinterpret_cast<const char*>(&number), sizeof(number));
}

/// A zip file of uncompressed members, each beginning at a multiple of 64, as PyTorch's writer lays them out.
class ZipFile {
 public:
  explicit ZipFile(const std::filesystem::path& path)
      : path_(path), folder_(path.stem().string()), file_(path, std::ios::binary) {}

  void add(std::string_view name, const char* data, std::size_t size) {
    const std::string full_name = folder_ + "/" + std::string(name);
    const std::uint64_t begin = position_;
    const std::size_t header_size = 30 + full_name.size() + 4;
    const auto padding = static_cast<std::uint16_t>((64 - (position_ + header_size) % 64) % 64);
    std::string header("PK\3\4\0\0\x08\x08\0\0", 10);  // flags: UTF-8 names, checksum and sizes behind the data
    header.append(16, '\0');
    append(header, static_cast<std::uint16_t>(full_name.size()));
    append(header, static_cast<std::uint16_t>(4 + padding));
    header += full_name + "FB";
    append(header, padding);
    header.append(padding, 'Z');
    write(header);
    write({data, size});

    const auto crc = static_cast<std::uint32_t>(::crc32_z(0, reinterpret_cast<const Bytef*>(data), size));
    std::string descriptor("PK\7\10");
    append(descriptor, crc);
    append(descriptor, static_cast<std::uint32_t>(size));
    append(descriptor, static_cast<std::uint32_t>(size));
    write(descriptor);
    add_to_directory(full_name, begin, size, crc);
  }

  void finish() {
    const std::uint64_t directory_begin = position_;
    write(directory_);
    const std::uint64_t zip64_end = position_;
    std::string end("PK\6\6");
    append(end, std::uint64_t{44});
    append(end, std::uint16_t{0x031e});
    append(end, std::uint16_t{45});
    append(end, std::uint64_t{0});
    append(end, members_);
    append(end, members_);
    append(end, static_cast<std::uint64_t>(directory_.size()));
    append(end, directory_begin);
    end += "PK\6\7";
    append(end, std::uint32_t{0});
    append(end, zip64_end);
    append(end, std::uint32_t{1});
    end += "PK\5\6";
    append(end, std::uint32_t{0});
    append(end, static_cast<std::uint16_t>(members_));
    append(end, static_cast<std::uint16_t>(members_));
    append(end, static_cast<std::uint32_t>(directory_.size()));
    append(end, in_32_bits(directory_begin));
    append(end, std::uint16_t{0});
    write(end);
    file_.close();
    if (!file_) throw std::runtime_error(path_.string() + " could not be written");
  }

 private:
  static std::uint32_t in_32_bits(std::uint64_t value) {
    return value < 0xffffffff ? static_cast<std::uint32_t>(value) : 0xffffffff;
  }

  void write(std::string_view bytes) {
    file_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    position_ += bytes.size();
  }

  void add_to_directory(const std::string& name, std::uint64_t begin, std::size_t size, std::uint32_t crc) {
    const bool far = begin >= 0xffffffff;
    directory_.append("PK\1\2\0\0\0\0\x08\x08\0\0\0\0\0\0", 16);
    append(directory_, crc);
    append(directory_, static_cast<std::uint32_t>(size));
    append(directory_, static_cast<std::uint32_t>(size));
    append(directory_, static_cast<std::uint16_t>(name.size()));
    append(directory_, static_cast<std::uint16_t>(far ? 12 : 0));
    directory_.append(10, '\0');
    append(directory_, in_32_bits(begin));
    directory_ += name;
    if (far) {
      append(directory_, std::uint16_t{1});
      append(directory_, std::uint16_t{8});
      append(directory_, begin);
    }
    ++members_;
  }

  std::filesystem::path path_;
  std::string folder_;
  std::ofstream file_;
  std::string directory_;
  std::uint64_t position_ = 0;
  std::uint64_t members_ = 0;
};

/// Pickle protocol 2, with everything remembered that Python's own pickler would remember.
class PickleWriter {
 public:
  PickleWriter& op(std::string_view operations) {
    bytes_ += operations;
    return *this;
  }
  PickleWriter& remember() {
    if (remembered_ < 256) {
      bytes_ += 'q';
      bytes_ += static_cast<char>(remembered_++);
    } else {
      bytes_ += 'r';
      append(bytes_, remembered_++);
    }
    return *this;
  }
  PickleWriter& integer(std::int64_t value) {
    if (value >= 0 && value < 256) {
      bytes_ += 'K';
      bytes_ += static_cast<char>(value);
    } else if (value >= 0 && value < 65536) {
      bytes_ += 'M';
      append(bytes_, static_cast<std::uint16_t>(value));
    } else if (value == static_cast<std::int32_t>(value)) {
      bytes_ += 'J';
      append(bytes_, static_cast<std::int32_t>(value));
    } else {
      bytes_ += "\x8a\x08";
      append(bytes_, value);
    }
    return *this;
  }
  PickleWriter& text(const std::string& value) {
    if (recall("text " + value)) return *this;
    bytes_ += 'X';
    append(bytes_, static_cast<std::uint32_t>(value.size()));
    bytes_ += value;
    return remember();
  }
  PickleWriter& global(const std::string& module, const std::string& name) {
    if (recall("global " + module + " " + name)) return *this;
    bytes_.append("c").append(module).append("\n").append(name).append("\n");
    return remember();
  }
  PickleWriter& tuple(const std::vector<std::int64_t>& values) {
    if (values.empty()) return op(")");
    if (values.size() > 3) op("(");
    for (const std::int64_t value : values) integer(value);
    static constexpr std::string_view kTuple123 = "\x85\x86\x87";
    return op(values.size() > 3 ? std::string_view("t") : kTuple123.substr(values.size() - 1, 1)).remember();
  }
  PickleWriter& ordered_dict() { return global("collections", "OrderedDict").op(")R").remember(); }

  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  /// Whether the thing was written before, and is now referred to; if not, the next remember() is of it.
  bool recall(const std::string& what) {
    const auto [known, inserted] = slots_.emplace(what, remembered_);
    if (inserted) return false;
    if (known->second < 256) {
      bytes_ += 'h';
      bytes_ += static_cast<char>(known->second);
    } else {
      bytes_ += 'j';
      append(bytes_, known->second);
    }
    return true;
  }

  std::string bytes_{"\x80\x02"};
  std::unordered_map<std::string, std::uint32_t> slots_;
  std::uint32_t remembered_ = 0;
};

std::string storage_class(at::ScalarType type) {
  return std::string(c10::toString(type)) + "Storage";
}

std::int64_t elements(const TorchTensorSpec& spec) {
  return c10::multiply_integers(spec.shape);
}

void pickle_tensor(PickleWriter& pickle, const TorchTensorSpec& spec, std::size_t storage) {
  std::vector<std::int64_t> strides(spec.shape.size());
  std::int64_t stride = 1;
  for (std::size_t i = spec.shape.size(); i > 0; --i) {
    strides[i - 1] = stride;
    stride *= spec.shape[i - 1];
  }
  pickle.global("torch._utils", "_rebuild_tensor_v2").op("((").text("storage");
  pickle.global("torch", storage_class(spec.type)).text(std::to_string(storage)).text("cpu");
  pickle.integer(elements(spec)).op("t").remember().op("Q").integer(0).tuple(spec.shape).tuple(strides);
  pickle.op("\x89").ordered_dict().op("t").remember().op("R").remember();
}

void pickle_state_dict(PickleWriter& pickle, const std::vector<TorchTensorSpec>& specs) {
  constexpr std::size_t kBatch = 1000;
  pickle.ordered_dict();
  for (std::size_t i = 0; i < specs.size(); ++i) {
    if (i % kBatch == 0) pickle.op("(");
    pickle.text(specs[i].name);
    pickle_tensor(pickle, specs[i], i);
    if (i % kBatch == kBatch - 1 || i + 1 == specs.size()) pickle.op("u");
  }
}

void pickle_lightning_extras(PickleWriter& pickle) {
  const auto callback = [&]() -> PickleWriter& {
    return pickle.global("pytorch_lightning.callbacks.model_checkpoint", "ModelCheckpoint");
  };
  pickle.text("epoch").integer(4);
  pickle.text("callbacks").op("}").remember();
  callback().op("}").remember().text("monitor").text("val/loss").op("ss");
  pickle.text("hyper");
  callback().op(")\x81").remember().op("}").remember().text("every").integer(1).op("sb");
  pickle.text("np").global("numpy.core.multiarray", "scalar").global("numpy", "dtype");
  pickle.text("f8").op("\x89\x88\x87").remember().op("R").remember();
  pickle.op("(").integer(3).text("<").op("NNN").integer(-1).integer(-1).integer(0).op("t").remember().op("b");
  pickle.global("_codecs", "encode").text("\x01\x02").text("latin1").op("\x86").remember().op("R").remember();
  pickle.op("\x86").remember().op("R").remember();
}

std::string pickle_checkpoint(const std::vector<TorchTensorSpec>& specs, const TorchZipOptions& options) {
  PickleWriter pickle;
  const bool wrapped = options.lightning || options.step;
  if (wrapped) pickle.op("}").remember().op("(");
  if (options.lightning) pickle_lightning_extras(pickle);
  if (wrapped) pickle.text("state_dict");
  pickle_state_dict(pickle, specs);
  if (options.step) pickle.text("step").integer(*options.step);
  if (wrapped) pickle.op("u");
  return pickle.op(".").bytes();
}

}  // namespace

void write_torch_zip(const std::filesystem::path& path, const std::vector<TorchTensorSpec>& specs,
                     const MakeTensor& make, const TorchZipOptions& options) {
  ZipFile zip(path);
  const std::string pickle = pickle_checkpoint(specs, options);
  zip.add("data.pkl", pickle.data(), pickle.size());
  zip.add("byteorder", "little", 6);
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const at::Tensor tensor = make(specs[i]).detach().to(at::kCPU, specs[i].type).contiguous();
    if (tensor.sizes() != at::IntArrayRef(specs[i].shape)) {
      throw std::runtime_error("the tensor made for " + specs[i].name + " has another shape");
    }
    zip.add("data/" + std::to_string(i), static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes());
  }
  zip.add("version", "3\n", 2);
  zip.finish();
}

void write_torch_zip(const std::filesystem::path& path, const NamedTensors& tensors, const TorchZipOptions& options) {
  std::vector<TorchTensorSpec> specs;
  for (const NamedTensor& named : tensors) {
    specs.push_back({named.name, named.tensor.sizes().vec(), named.tensor.scalar_type()});
  }
  auto next = tensors.begin();
  write_torch_zip(
      path, specs, [&](const TorchTensorSpec&) { return (next++)->tensor; }, options);
}

}  // namespace unianimate::testing
