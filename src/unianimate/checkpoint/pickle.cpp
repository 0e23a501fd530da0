#include "unianimate/checkpoint/pickle.h"

#include <limits>

#include "unianimate/checkpoint/python_globals.h"

// Operations after CPython's Lib/pickletools.py.

namespace unianimate::checkpoint {

namespace {

constexpr std::size_t kMaxValues = std::size_t{1} << 21;
constexpr std::size_t kMaxOperations = std::size_t{1} << 24;
constexpr PickleId kNoValue = std::numeric_limits<PickleId>::max();

class Unpickler {
 public:
  explicit Unpickler(ByteReader& reader) : reader_(reader) {}

  Pickle read() {
    for (std::size_t done = 0; !finished_; ++done) {
      if (done == kMaxOperations) throw damaged("more than {} operations", kMaxOperations);
      operation_ = static_cast<std::uint8_t>(reader_.take(1).front());
      execute();
    }
    pickle_.end = reader_.position();
    return std::move(pickle_);
  }

 private:
  template <typename... Args>
  [[nodiscard]] Error damaged(fmt::format_string<Args...> format, Args&&... args) const {
    return reader_.file().refusal("{} is damaged or hostile before byte {}: {}", reader_.what(), reader_.position(),
                                  fmt::format(format, std::forward<Args>(args)...));
  }

  void execute();
  void execute_container_operation();
  void execute_object_operation();

  void push(PickleId id) { stack_.push_back(id); }

  PickleId make(PickleValue value) {
    if (pickle_.values.size() == kMaxValues) throw damaged("more than {} values", kMaxValues);
    pickle_.values.push_back(std::move(value));
    return static_cast<PickleId>(pickle_.values.size() - 1);
  }
  void push_new(PickleValue value) { push(make(std::move(value))); }
  void push_integer(std::int64_t value) { push_new({.kind = PickleKind::kInteger, .integer = value}); }
  void push_text(std::uint64_t size) { push_new({.kind = PickleKind::kText, .text = reader_.take(size)}); }
  void push_other_bytes(std::uint64_t size) {
    reader_.skip(size);
    push_new({.kind = PickleKind::kOther});
  }
  void push_long(std::uint64_t size);
  void push_global(std::string_view module, std::string_view name);

  /// Values above the last mark are the only ones an operation may take.
  PickleId pop() {
    const std::size_t floor = marks_.empty() ? 0 : marks_.back();
    if (stack_.size() <= floor) throw damaged("operation 0x{:02x} lacks an operand", operation_);
    const PickleId top = stack_.back();
    stack_.pop_back();
    return top;
  }
  PickleId top() {
    const PickleId id = pop();
    push(id);
    return id;
  }
  std::vector<PickleId> pop_to_mark() {
    if (marks_.empty()) throw damaged("operation 0x{:02x} lacks a mark", operation_);
    const auto first = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<PickleId> items(first, stack_.end());
    stack_.erase(first, stack_.end());
    marks_.pop_back();
    return items;
  }
  void push_tuple(std::size_t size) {
    std::vector<PickleId> items(size);
    for (std::size_t i = size; i > 0; --i) items[i - 1] = pop();
    push_new({.kind = PickleKind::kTuple, .items = std::move(items)});
  }
  /// Adds to the value on top of the stack, which is of the kind `container` or an object of an unknown class.
  void add_to_top(PickleKind container, const std::vector<PickleId>& added) {
    PickleValue& target = pickle_.values[top()];
    if (target.kind != container && target.kind != PickleKind::kCall && target.kind != PickleKind::kOther) {
      throw damaged("operation 0x{:02x} adds items to something that holds none", operation_);
    }
    target.items.insert(target.items.end(), added.begin(), added.end());
  }
  void add_pairs_to_top(const std::vector<PickleId>& added) {
    if (added.size() % 2 != 0) throw damaged("a dictionary entry has a key and no value");
    add_to_top(PickleKind::kDict, added);
  }

  void call(PickleId callee, PickleId arguments);
  void remember(std::uint64_t slot);
  void recall(std::uint64_t slot);

  ByteReader& reader_;
  Pickle pickle_;
  std::vector<PickleId> stack_;
  std::vector<std::size_t> marks_;  // stack heights
  std::vector<PickleId> memo_;
  std::uint64_t memo_next_ = 0;
  std::uint8_t operation_ = 0;
  bool finished_ = false;
};

void Unpickler::push_long(std::uint64_t size) {
  const std::string_view bytes = reader_.take(size);
  if (size > sizeof(std::int64_t)) {
    push_new({.kind = PickleKind::kLong, .text = bytes});
    return;
  }
  const bool negative = size > 0 && (static_cast<std::uint8_t>(bytes.back()) & 0x80U) != 0;
  std::int64_t value = negative ? -1 : 0;
  std::memcpy(&value, bytes.data(), size);
  push_integer(value);
}

void Unpickler::push_global(std::string_view module, std::string_view name) {
  if (runs_code(module, name)) {
    throw reader_.file().refusal(
        "the file is hostile: loading it in Python would call {}.{}; nothing was run, do not use this file",
        printable(module), printable(name));
  }
  push_new({.kind = PickleKind::kGlobal, .text = module, .name = name});
}

void Unpickler::call(PickleId callee, PickleId arguments) {
  const PickleValue& function = pickle_[callee];
  const bool ordered_dict = function.kind == PickleKind::kGlobal && function.text == "collections" &&
                            function.name == "OrderedDict" && pickle_[arguments].items.empty();
  if (ordered_dict) {
    push_new({.kind = PickleKind::kDict});
  } else {
    push_new({.kind = PickleKind::kCall, .items = {callee, arguments}});
  }
}

void Unpickler::remember(std::uint64_t slot) {
  if (slot >= kMaxValues) throw damaged("memo slot {} is beyond the limit of {}", slot, kMaxValues);
  if (slot >= memo_.size()) memo_.resize(slot + 1, kNoValue);
  memo_[slot] = top();
}

void Unpickler::recall(std::uint64_t slot) {
  if (slot >= memo_.size() || memo_[slot] == kNoValue) throw damaged("memo slot {} is empty", slot);
  push(memo_[slot]);
}

void Unpickler::execute() {
  switch (operation_) {
    case 0x80: {  // PROTO
      const auto protocol = reader_.number<std::uint8_t>();
      if (protocol < 2 || protocol > 5) throw damaged("pickle protocol {}; 2 to 5 are known", protocol);
      return;
    }
    case 0x95:  // FRAME
      reader_.skip(8);
      return;
    case '.':  // STOP
      pickle_.root = pop();
      finished_ = true;
      return;
    case 'N':  // NONE
      return push_new({.kind = PickleKind::kNone});
    case 0x88:  // NEWTRUE
    case 0x89:  // NEWFALSE
      return push_new({.kind = PickleKind::kBool, .integer = operation_ == 0x88 ? 1 : 0});
    case 'J':  // BININT
      return push_integer(reader_.number<std::int32_t>());
    case 'K':  // BININT1
      return push_integer(reader_.number<std::uint8_t>());
    case 'M':  // BININT2
      return push_integer(reader_.number<std::uint16_t>());
    case 0x8a:  // LONG1
      return push_long(reader_.number<std::uint8_t>());
    case 0x8b:  // LONG4
      return push_long(reader_.number<std::uint32_t>());
    case 'G':  // BINFLOAT
      return push_other_bytes(8);
    case 'X':  // BINUNICODE
    case 'T':  // BINSTRING
      return push_text(reader_.number<std::uint32_t>());
    case 0x8c:  // SHORT_BINUNICODE
    case 'U':   // SHORT_BINSTRING
      return push_text(reader_.number<std::uint8_t>());
    case 0x8d:  // BINUNICODE8
      return push_text(reader_.number<std::uint64_t>());
    case 'B':  // BINBYTES
      return push_other_bytes(reader_.number<std::uint32_t>());
    case 'C':  // SHORT_BINBYTES
      return push_other_bytes(reader_.number<std::uint8_t>());
    case 0x8e:  // BINBYTES8
    case 0x96:  // BYTEARRAY8
      return push_other_bytes(reader_.number<std::uint64_t>());
    case 'q':  // BINPUT
      return remember(reader_.number<std::uint8_t>());
    case 'r':  // LONG_BINPUT
      return remember(reader_.number<std::uint32_t>());
    case 0x94:  // MEMOIZE
      return remember(memo_next_++);
    case 'h':  // BINGET
      return recall(reader_.number<std::uint8_t>());
    case 'j':  // LONG_BINGET
      return recall(reader_.number<std::uint32_t>());
    default:
      return execute_container_operation();
  }
}

void Unpickler::execute_container_operation() {
  switch (operation_) {
    case '(':  // MARK
      marks_.push_back(stack_.size());
      return;
    case '0':  // POP
      if (!marks_.empty() && marks_.back() == stack_.size()) {
        marks_.pop_back();
      } else {
        pop();
      }
      return;
    case '1':  // POP_MARK
      pop_to_mark();
      return;
    case '2':  // DUP
      return push(top());
    case ')':  // EMPTY_TUPLE
      return push_tuple(0);
    case 0x85:  // TUPLE1
    case 0x86:  // TUPLE2
    case 0x87:  // TUPLE3
      return push_tuple(operation_ - 0x84U);
    case 't':  // TUPLE
      return push_new({.kind = PickleKind::kTuple, .items = pop_to_mark()});
    case ']':  // EMPTY_LIST
      return push_new({.kind = PickleKind::kList});
    case 'l':  // LIST
      return push_new({.kind = PickleKind::kList, .items = pop_to_mark()});
    case 'a':  // APPEND
      return add_to_top(PickleKind::kList, {pop()});
    case 'e':   // APPENDS
    case 0x90:  // ADDITEMS
      return add_to_top(PickleKind::kList, pop_to_mark());
    case '}':  // EMPTY_DICT
      return push_new({.kind = PickleKind::kDict});
    case 'd': {  // DICT
      std::vector<PickleId> items = pop_to_mark();
      push_new({.kind = PickleKind::kDict});
      return add_pairs_to_top(items);
    }
    case 's': {  // SETITEM
      const PickleId value = pop();
      const PickleId key = pop();
      return add_pairs_to_top({key, value});
    }
    case 'u':  // SETITEMS
      return add_pairs_to_top(pop_to_mark());
    case 0x8f:  // EMPTY_SET
      return push_new({.kind = PickleKind::kOther});
    case 0x91:  // FROZENSET
      return push_new({.kind = PickleKind::kOther, .items = pop_to_mark()});
    default:
      return execute_object_operation();
  }
}

void Unpickler::execute_object_operation() {
  switch (operation_) {
    case 'c': {  // GLOBAL
      const std::string_view module = reader_.line();
      return push_global(module, reader_.line());
    }
    case 0x93: {  // STACK_GLOBAL
      const PickleValue& name = pickle_[pop()];
      const PickleValue& module = pickle_[pop()];
      if (name.kind != PickleKind::kText || module.kind != PickleKind::kText) {
        throw damaged("a class is named by something other than text");
      }
      return push_global(module.text, name.text);
    }
    case 'R':     // REDUCE
    case 0x81: {  // NEWOBJ
      const PickleId arguments = pop();
      return call(pop(), arguments);
    }
    case 0x92: {  // NEWOBJ_EX
      const PickleId keywords = pop();
      const PickleId arguments = pop();
      return push_new({.kind = PickleKind::kCall, .items = {pop(), arguments, keywords}});
    }
    case 'b': {  // BUILD
      const PickleId state = pop();
      // A dictionary's attributes (a state_dict's _metadata) are not among its entries.
      if (pickle_[top()].kind != PickleKind::kDict) add_to_top(PickleKind::kCall, {state});
      return;
    }
    case 'Q': {  // BINPERSID
      push_new({.kind = PickleKind::kPersistent, .items = {pop()}});
      pickle_.persistent.push_back(top());
      return;
    }
    default:
      throw damaged("operation 0x{:02x} is none that torch.save writes", operation_);
  }
}

}  // namespace

Pickle read_pickle(ByteReader& reader) {
  return Unpickler(reader).read();
}

}  // namespace unianimate::checkpoint
