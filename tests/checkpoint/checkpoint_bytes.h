// Checkpoints put together byte by byte, for what no honest writer writes.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "unianimate/checkpoint/loading.h"

namespace unianimate::testing {

/// The folder of golden checkpoints.
std::filesystem::path golden_checkpoint(const std::string& name);

std::string read_file(const std::filesystem::path& path);

/// Opens bytes as the file "FILE".
checkpoint::Checkpoint open_bytes(std::string bytes);

/// Opens them and reads every tensor.
std::map<std::string, at::Tensor> read_all(std::string bytes);

/// Opening or reading them must throw Error(kInput), whose message names the file, is one line, and contains `reason`.
void expect_refused(std::string bytes, const std::string& reason);

/// `number` as little-endian bytes.
template <typename T>
std::string packed(T number) {
  return {reinterpret_cast<const char*>(&number), sizeof(number)};
}

/// Pickle operations, protocol 2.
std::string pickled_text(std::string_view text);
std::string pickled_integer(std::int64_t value);
std::string pickled_tuple(const std::vector<std::int64_t>& values);
/// A reference to a storage of 32-bit floats, and a call that makes a tensor of it.
std::string pickled_storage(const std::string& key, std::int64_t elements);
std::string pickled_tensor(const std::string& storage, std::int64_t offset, const std::vector<std::int64_t>& shape,
                           const std::vector<std::int64_t>& strides);

/// A legacy file around the operations of one object (without the closing '.'), with storages of 32-bit floats.
std::string legacy_file(const std::string& object, const std::map<std::string, std::vector<float>>& storages = {});

/// A legacy file of the dictionary {name: value}.
std::string legacy_dictionary(const std::string& name, const std::string& value,
                              const std::map<std::string, std::vector<float>>& storages = {});

}  // namespace unianimate::testing
