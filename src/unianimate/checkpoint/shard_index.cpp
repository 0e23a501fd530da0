#include "unianimate/checkpoint/shard_index.h"

#include <nlohmann/json.hpp>

#include "unianimate/core/json_text.h"

namespace unianimate::checkpoint {

std::map<std::string, std::set<std::string>> read_shard_index(const CheckpointFile& index) {
  constexpr std::size_t kLargest = std::size_t{64} << 20;
  constexpr int kDeepest = 4;
  if (index.size() > kLargest)
    throw index.refusal("the index of a checkpoint is a list of names, and this is too long");
  const nlohmann::json json = parse_json(index.keep(0, index.size()), index.name(), kDeepest);
  const auto map = json.is_object() ? json.find("weight_map") : json.end();
  if (map == json.end() || !map->is_object() || map->empty()) {
    throw index.refusal("the index of a checkpoint is expected, which has a 'weight_map' of tensors' names and files");
  }
  std::map<std::string, std::set<std::string>> shards;
  for (const auto& [tensor, file] : map->items()) {
    const std::string name = file.is_string() ? file.get<std::string>() : "";
    if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos ||
        name.find('\0') != std::string::npos) {
      throw index.refusal("it should name a file beside it for the tensor '{}', but says {}", printable(tensor),
                          printable(file.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace)));
    }
    shards[name].insert(tensor);
  }
  return shards;
}

}  // namespace unianimate::checkpoint
