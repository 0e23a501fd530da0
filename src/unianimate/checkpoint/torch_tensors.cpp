#include "unianimate/checkpoint/torch_tensors.h"

#include <algorithm>
#include <array>
#include <map>
#include <unordered_map>
#include <utility>

namespace unianimate::checkpoint {

namespace {

constexpr int kMaxWrappers = 8;

/// The keys that checkpoints keep the parameters under, those of the plain weights before those of averaged ones.
constexpr std::array<std::string_view, 17> kWrappers{"state_dict", "model_state_dict", "model",      "module",
                                                     "net",        "network",          "unet",       "vae",
                                                     "params",     "weights",          "ema",        "ema_state_dict",
                                                     "model_ema",  "ema_model",        "params_ema", "state_dict_ema",
                                                     "module_ema"};

bool is_global(const PickleValue& value, std::string_view module, std::string_view name) {
  return value.kind == PickleKind::kGlobal && value.text == module && value.name == name;
}

std::string describe(const PickleValue& value) {
  switch (value.kind) {
    case PickleKind::kNone:
      return "None";
    case PickleKind::kBool:
    case PickleKind::kInteger:
    case PickleKind::kLong:
      return "a number";
    case PickleKind::kText:
      return "text";
    case PickleKind::kTuple:
      return "a tuple";
    case PickleKind::kList:
      return "a list";
    case PickleKind::kDict:
      return "a dictionary";
    case PickleKind::kGlobal:
      return fmt::format("{}.{}", printable(value.text), printable(value.name));
    case PickleKind::kCall:
      return "an object";
    case PickleKind::kPersistent:
      return "a storage";
    case PickleKind::kOther:
      return "another value";
  }
  return "another value";
}

/// A call of one of PyTorch's functions that make a tensor.
struct Rebuild {
  const PickleValue* function;
  const PickleValue* arguments;
};

class TensorCollector {
 public:
  TensorCollector(const CheckpointFile& file, const Pickle& pickle, const StorageLookup& lookup,
                  CheckpointContent& content)
      : file_(file),
        pickle_(pickle),
        lookup_(lookup),
        content_(content),
        searched_(pickle.values.size()),
        entered_(pickle.values.size()) {}

  void collect() {
    const PickleValue* dictionary = &pickle_[pickle_.root];
    if (dictionary->kind != PickleKind::kDict) {
      const bool object = dictionary->kind == PickleKind::kCall;
      throw file_.refusal(
          "a dictionary of named tensors is expected, and the file holds {}; save the model's "
          "state_dict() instead",
          describe(object ? pickle_[dictionary->items[0]] : *dictionary));
    }
    for (int depth = 0; depth < kMaxWrappers; ++depth) {
      const PickleValue* const inner = wrapped_dictionary(*dictionary);
      if (inner == nullptr) break;
      content_.ignored_entries += static_cast<std::int64_t>(dictionary->items.size() / 2) - 1;
      note_left_out(*dictionary, *inner);
      dictionary = inner;
    }
    collect_entries(*dictionary, "", 0);
  }

 private:
  /// The value of a key that checkpoints keep the parameters under, null where there is none.
  const PickleValue* wrapped_dictionary(const PickleValue& dictionary) const;
  /// Remembers which other dictionaries of tensors lie beside the one that is read.
  void note_left_out(const PickleValue& dictionary, const PickleValue& read);
  void collect_entries(const PickleValue& dictionary, const std::string& prefix, int depth);
  void collect_entry(const PickleValue& key, PickleId value, const std::string& prefix, int depth);
  /// `value` as a call that makes a tensor, through torch.nn.Parameter and the like; empty for any other value.
  [[nodiscard]] std::optional<Rebuild> find_rebuild(const PickleValue& value) const;
  [[nodiscard]] TensorEntry make_entry(std::string name, const Rebuild& rebuild);
  [[nodiscard]] Shape integers(const std::string& tensor, const PickleValue& value) const;
  [[nodiscard]] std::size_t storage_index(const StorageRange& range);
  /// Whether a storage is among what the value holds. Values searched once, by any call, are not searched again.
  [[nodiscard]] bool holds_storage(PickleId value);

  [[nodiscard]] const PickleValue& argument(const std::string& tensor, const Rebuild& rebuild, std::size_t i) const {
    if (rebuild.arguments->kind != PickleKind::kTuple || i >= rebuild.arguments->items.size()) {
      throw file_.refusal("tensor '{}' lacks argument {} of {}; the file is damaged or hostile", printable(tensor), i,
                          describe(*rebuild.function));
    }
    return pickle_[rebuild.arguments->items[i]];
  }

  const CheckpointFile& file_;
  const Pickle& pickle_;
  const StorageLookup& lookup_;
  CheckpointContent& content_;
  std::unordered_map<std::string, std::size_t> index_of_name_;
  std::map<std::pair<std::size_t, std::size_t>, std::size_t> index_of_range_;
  std::vector<bool> searched_;  // by holds_storage
  std::vector<bool> entered_;   // dictionaries, by collect_entry
};

const PickleValue* TensorCollector::wrapped_dictionary(const PickleValue& dictionary) const {
  const auto value_of = [&](std::string_view key) -> const PickleValue* {
    for (std::size_t i = dictionary.items.size(); i >= 2; i -= 2) {
      const PickleValue& candidate = pickle_[dictionary.items[i - 2]];
      if (candidate.kind == PickleKind::kText && candidate.text == key) return &pickle_[dictionary.items[i - 1]];
    }
    return nullptr;
  };
  for (const std::string_view key : kWrappers) {
    const PickleValue* const value = value_of(key);
    if (value != nullptr && value->kind == PickleKind::kDict && !value->items.empty()) return value;
  }
  return nullptr;
}

void TensorCollector::note_left_out(const PickleValue& dictionary, const PickleValue& read) {
  for (std::size_t i = 0; i + 1 < dictionary.items.size(); i += 2) {
    const PickleValue& key = pickle_[dictionary.items[i]];
    const PickleValue& value = pickle_[dictionary.items[i + 1]];
    const bool wrapper = key.kind == PickleKind::kText && std::ranges::count(kWrappers, key.text) > 0;
    if (wrapper && value.kind == PickleKind::kDict && !value.items.empty() && &value != &read) {
      content_.left_out.emplace_back(key.text);
    }
  }
}

void TensorCollector::collect_entries(const PickleValue& dictionary, const std::string& prefix, int depth) {
  for (std::size_t i = 0; i + 1 < dictionary.items.size(); i += 2) {
    collect_entry(pickle_[dictionary.items[i]], dictionary.items[i + 1], prefix, depth);
  }
}

void TensorCollector::collect_entry(const PickleValue& key, PickleId id, const std::string& prefix, int depth) {
  const PickleValue& value = pickle_[id];
  const bool named = key.kind == PickleKind::kText;
  // A dictionary inside is read as if its keys had its own name before them; none is read twice.
  if (named && value.kind == PickleKind::kDict && depth < kMaxWrappers && !entered_[id]) {
    entered_[id] = true;
    const std::size_t tensors = content_.tensors.size();
    const std::int64_t ignored = content_.ignored_entries;
    collect_entries(value, fmt::format("{}{}.", prefix, key.text), depth + 1);
    if (content_.tensors.size() == tensors) content_.ignored_entries = ignored + 1;
    return;
  }
  const std::optional<Rebuild> rebuild = named ? find_rebuild(value) : std::nullopt;
  if (!rebuild) {
    if (named && value.kind == PickleKind::kCall && holds_storage(id)) {
      throw file_.refusal("tensor '{}' is made by {}, which is not known here; save plain tensors instead",
                          printable(key.text), describe(pickle_[value.items[0]]));
    }
    ++content_.ignored_entries;
    return;
  }
  TensorEntry entry = make_entry(fmt::format("{}{}", prefix, key.text), *rebuild);
  const auto [known, inserted] = index_of_name_.try_emplace(entry.name, content_.tensors.size());
  if (inserted) {
    content_.tensors.push_back(std::move(entry));
  } else {
    content_.tensors[known->second] = std::move(entry);
  }
}

std::optional<Rebuild> TensorCollector::find_rebuild(const PickleValue& value) const {
  const auto as_rebuild = [&](const PickleValue& call) {
    return Rebuild{&pickle_[call.items[0]], &pickle_[call.items[1]]};
  };
  if (value.kind != PickleKind::kCall) return std::nullopt;
  Rebuild rebuild = as_rebuild(value);
  for (int depth = 0; depth < kMaxWrappers; ++depth) {
    const PickleValue& function = *rebuild.function;
    const std::vector<PickleId>& arguments = rebuild.arguments->items;
    if (is_global(function, "torch._utils", "_rebuild_tensor") ||
        is_global(function, "torch._utils", "_rebuild_tensor_v2") ||
        is_global(function, "torch._utils", "_rebuild_tensor_v3")) {
      return rebuild;
    }
    const bool parameter = is_global(function, "torch._utils", "_rebuild_parameter") ||
                           is_global(function, "torch._utils", "_rebuild_parameter_with_state") ||
                           is_global(function, "torch.nn.parameter", "Parameter");
    if (parameter && !arguments.empty() && pickle_[arguments[0]].kind == PickleKind::kCall) {
      rebuild = as_rebuild(pickle_[arguments[0]]);
    } else if (is_global(function, "torch._tensor", "_rebuild_from_type_v2") && arguments.size() >= 3) {
      rebuild = {&pickle_[arguments[0]], &pickle_[arguments[2]]};
    } else {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

TensorEntry TensorCollector::make_entry(std::string name, const Rebuild& rebuild) {
  const PickleValue& storage_value = argument(name, rebuild, 0);
  const PickleValue& offset = argument(name, rebuild, 1);
  if (storage_value.kind != PickleKind::kPersistent || offset.kind != PickleKind::kInteger) {
    throw file_.refusal("tensor '{}' depends on {} instead of a storage; the file is damaged or hostile",
                        printable(name), describe(storage_value));
  }
  const auto id = static_cast<PickleId>(&storage_value - pickle_.values.data());
  const StorageReference reference = storage_reference(file_, pickle_, id);
  const StorageRange range = lookup_(reference);

  TensorEntry entry;
  entry.type = reference.type.value_or(ElementType::kUInt8);
  if (is_global(*rebuild.function, "torch._utils", "_rebuild_tensor_v3")) {
    const PickleValue& dtype = argument(name, rebuild, 6);
    const auto type = dtype.text == "torch" ? element_type_from_torch_dtype(dtype.name) : std::nullopt;
    if (!type) {
      throw file_.refusal("tensor '{}' is of the type {}, which is not supported", printable(name), describe(dtype));
    }
    entry.type = *type;
  }
  entry.storage_offset = offset.integer;
  entry.shape = integers(name, argument(name, rebuild, 2));
  entry.strides = integers(name, argument(name, rebuild, 3));
  const auto storage_elements = static_cast<std::int64_t>(range.size) / element_size(entry.type);
  if (!fits_storage(entry, storage_elements)) {
    throw file_.refusal(
        "tensor '{}' of shape [{}], strides [{}] and offset {} does not fit its storage of {} elements; the file is "
        "damaged or hostile",
        printable(name), fmt::join(entry.shape, ", "), fmt::join(entry.strides, ", "), entry.storage_offset,
        storage_elements);
  }
  entry.storage = storage_index(range);
  entry.name = std::move(name);
  return entry;
}

Shape TensorCollector::integers(const std::string& tensor, const PickleValue& value) const {
  Shape numbers;
  bool all_integers = value.kind == PickleKind::kTuple && value.items.size() <= 64;
  for (std::size_t i = 0; all_integers && i < value.items.size(); ++i) {
    const PickleValue& item = pickle_[value.items[i]];
    all_integers = item.kind == PickleKind::kInteger;
    numbers.push_back(item.integer);
  }
  if (!all_integers) {
    throw file_.refusal("tensor '{}' has {} where its shape or strides are expected; the file is damaged or hostile",
                        printable(tensor), describe(value));
  }
  return numbers;
}

std::size_t TensorCollector::storage_index(const StorageRange& range) {
  const auto [known, inserted] = index_of_range_.try_emplace({range.begin, range.size}, content_.storages.size());
  if (inserted) content_.storages.push_back(range);
  return known->second;
}

bool TensorCollector::holds_storage(PickleId value) {
  std::vector<PickleId> open{value};
  while (!open.empty()) {
    const PickleId id = open.back();
    open.pop_back();
    if (searched_[id]) continue;
    searched_[id] = true;
    if (pickle_[id].kind == PickleKind::kPersistent) return true;
    open.insert(open.end(), pickle_[id].items.begin(), pickle_[id].items.end());
  }
  return false;
}

}  // namespace

StorageReference storage_reference(const CheckpointFile& file, const Pickle& pickle, PickleId persistent) {
  const PickleValue& id = pickle[pickle[persistent].items[0]];
  const auto item = [&](const PickleValue& tuple, std::size_t i, PickleKind kind) -> const PickleValue& {
    if (tuple.kind != PickleKind::kTuple || i >= tuple.items.size() || pickle[tuple.items[i]].kind != kind) {
      throw file.refusal("a reference to a storage is malformed; the file is damaged or hostile");
    }
    return pickle[tuple.items[i]];
  };
  if (item(id, 0, PickleKind::kText).text != "storage") {
    throw file.refusal(
        "the file refers to a '{}' outside its pickle where a storage is expected; save the model's "
        "state_dict() instead",
        printable(item(id, 0, PickleKind::kText).text));
  }
  const PickleValue& storage_class = item(id, 1, PickleKind::kGlobal);
  StorageReference reference;
  reference.type = element_type_from_storage_class(storage_class.name);
  const bool known_module = storage_class.text == "torch" || storage_class.text == "torch.storage";
  if (!known_module || (!reference.type && storage_class.name != "UntypedStorage")) {
    throw file.refusal("a storage of the type {} is not supported", describe(storage_class));
  }
  reference.key = item(id, 2, PickleKind::kText).text;
  reference.elements = item(id, 4, PickleKind::kInteger).integer;
  if (id.items.size() > 5 && pickle[id.items[5]].kind != PickleKind::kNone) {
    const PickleValue& view = item(id, 5, PickleKind::kTuple);
    reference.view = {item(view, 1, PickleKind::kInteger).integer, item(view, 2, PickleKind::kInteger).integer};
  }
  if (reference.elements < 0) throw file.refusal("a storage claims a negative size; the file is damaged or hostile");
  return reference;
}

void collect_tensors(const CheckpointFile& file, const Pickle& pickle, const StorageLookup& lookup,
                     CheckpointContent& content) {
  TensorCollector(file, pickle, lookup, content).collect();
}

}  // namespace unianimate::checkpoint
