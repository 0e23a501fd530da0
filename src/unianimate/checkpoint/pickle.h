// Reads a Python pickle into plain values. Nothing is imported, looked up or called: a call stays a value that says
// what would have been called.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "unianimate/checkpoint/byte_reader.h"

namespace unianimate::checkpoint {

/// Index into Pickle::values. Values refer to each other by index, so shared and cyclic structures cost nothing.
using PickleId = std::uint32_t;

enum class PickleKind : std::uint8_t {
  kNone,
  kBool,        ///< integer: 0 or 1
  kInteger,     ///< integer
  kLong,        ///< an integer beyond 64 bits; text: its bytes, little endian, two's complement
  kText,        ///< text: UTF-8, or the bytes of a Python 2 string
  kTuple,       ///< items
  kList,        ///< items
  kDict,        ///< items: key, value, key, value, ... in the order they were set; also for collections.OrderedDict
  kGlobal,      ///< text: the module, name: the class or function in it
  kCall,        ///< items: what is called, a tuple of arguments, and whatever was added to the result later
  kPersistent,  ///< items: the identifier of an object kept outside the pickle
  kOther,       ///< a value no tensor needs (a float, bytes, a set); items: what it holds
};

struct PickleValue {
  PickleKind kind = PickleKind::kNone;
  std::int64_t integer = 0;
  std::string_view text = {};  ///< a view of the file
  std::string_view name = {};  ///< a view of the file
  std::vector<PickleId> items = {};
};

struct Pickle {
  std::vector<PickleValue> values;
  PickleId root = 0;
  std::vector<PickleId> persistent;  ///< every kPersistent value
  std::size_t end = 0;               ///< offset in the file behind the pickle

  [[nodiscard]] const PickleValue& operator[](PickleId id) const { return values[id]; }
};

/// Reads one pickle of the protocols 2 to 5. Memory and time are bounded by fixed limits and by the bytes read.
/// Throws Error(kInput) for damaged pickles, for those beyond the limits (2^21 values, 2^24 operations), and for those
/// that name code to run (see runs_code).
Pickle read_pickle(ByteReader& reader);

}  // namespace unianimate::checkpoint
