#include "unianimate/fields/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <stdexcept>

#include "unianimate/core/error.h"
#include "unianimate/core/memory.h"
#include "unianimate/fields/range_check.h"

namespace unianimate::fields {

namespace {

/// What the help calls the values of a field.
struct TypeOf {
  std::string operator()(const bool* /*value*/) const { return ""; }
  template <std::integral Integer>
  std::string operator()(const Integer* /*value*/) const {
    return "N";
  }
  std::string operator()(const double* /*value*/) const { return "X"; }
  std::string operator()(const std::string* /*value*/) const { return "TEXT"; }
  std::string operator()(const std::filesystem::path* /*value*/) const { return "PATH"; }
  std::string operator()(const SizeValue& /*value*/) const { return "WxH"; }
  std::string operator()(const TextValue* value) const {
    return value->words().empty() ? "TEXT" : fmt::format("{}", fmt::join(value->words(), "|"));
  }
  template <typename Other>
  std::string operator()(const Other* /*value*/) const {
    return "LIST";
  }
};

std::string type_of(const Field& field, const Value& value) {
  if (field.bytes) return "SIZE";
  return field.type != nullptr ? field.type : std::visit(TypeOf{}, value);
}

/// With the range of its numbers.
std::string help_of(const Field& field) {
  return field.range.is_everything() || field.bytes ? field.help
                                                    : fmt::format("{} ({})", field.help, field.range.short_text());
}

/// Puts the text of an option into a field. Throws Error(kUsage) naming the option.
void read_option(std::string_view text, const Field& field, const Value& value, bool* present,
                 std::string_view or_else = "") {
  const std::string option = field.option_name();
  if (present != nullptr) *present = field.none == nullptr || text != field.none;
  if (present != nullptr && !*present) return;
  if (field.bytes) {
    *std::get<std::int64_t*>(value) = parse_bytes(text, option);
  } else if (const auto expected = read_value_text(text, value, option)) {
    const std::string what = field.expected != nullptr ? field.expected
                             : field.none != nullptr   ? fmt::format("a number or '{}'", field.none)
                                                       : *expected;
    throw Error(ErrorKind::kUsage, "{} expects {}{}, found '{}'", option, what, or_else, printable(text));
  }
  check_range(field, value, option);
}

}  // namespace

/// Sections and lists are gone through; what differs is what becomes of a field.
class CommandLine::Through : public Archive {
 private:
  bool enter(const Field& /*field*/, bool* present) override { return present == nullptr || *present; }
  void leave() override {}
  std::optional<std::size_t> begin_list(const Field& /*field*/, std::size_t /*size*/) override { return std::nullopt; }
  void enter_item(std::size_t /*index*/) override {}
  void end_list() override {}
};

/// Adds options.
class CommandLine::Adder final : public Archive {
 public:
  Adder(CLI::App& command, Filter filter, CommandLine& line)
      : command_(command), filter_(std::move(filter)), line_(line) {}

 private:
  void take(const Field& field, const Value& value, bool* present) override {
    if (field.help == nullptr || !filter_(field)) return;
    if (std::holds_alternative<bool*>(value)) {
      add_flag(field);
      return;
    }
    Entry& entry = add_option(field, type_of(field, value));
    if (field.shows_default) entry.option->default_str(default_text(field, value, present));
  }

  static std::string default_text(const Field& field, const Value& value, const bool* present) {
    if (!field.default_text.empty()) return field.default_text;
    if (present == nullptr || *present) return value_text(value);
    return field.none != nullptr ? field.none : "";
  }

  Entry& new_entry(const Field& field) {
    Entry& entry = line_.entries_[field.name];
    if (entry.option != nullptr) {
      throw std::logic_error(fmt::format("two fields of one command line are called {}", field.name));
    }
    entry.field = field;
    return entry;
  }

  Entry& add_option(const Field& field, const std::string& type) {
    const CLI::callback_t later = [](const CLI::results_t& /*given*/) { return true; };
    Entry& entry = new_entry(field);
    entry.option = command_.add_option(field.option_names(), later, help_of(field))->type_name(type);
    if (field.former_option != nullptr) {
      entry.former =
          command_.add_option(field.former_option, later, "What " + field.option_name() + " was called before")
              ->type_name(type);
    }
    complete(entry);
    return entry;
  }

  Entry& add_flag(const Field& field) {
    Entry& entry = new_entry(field);
    entry.flag = std::make_shared<bool>(false);
    entry.option = command_.add_flag(field.option_names(), *entry.flag, field.help)->disable_flag_override();
    complete(entry);
    return entry;
  }

  void complete(Entry& entry) {
    entry.option->group(entry.field.group)->required(entry.field.required);
    if (entry.former != nullptr) entry.former->group("");
    for (CLI::Option* option : {entry.option, entry.former}) {
      if (option == nullptr) continue;
      if (entry.field.needs != nullptr) option->needs(command_.get_option(entry.field.needs));
      for (CLI::Option* section : sections_) {
        if (section != nullptr) option->needs(section);
      }
    }
  }

  bool enter(const Field& field, bool* present) override {
    if (!filter_(field)) return false;
    sections_.push_back(present != nullptr && field.help != nullptr ? add_flag(field).option : nullptr);
    return true;
  }
  void leave() override { sections_.pop_back(); }

  bool take_texts(const Field& field, TextList& /*texts*/) override {
    if (field.help == nullptr || !filter_(field)) return true;
    add_option(field, field.type != nullptr ? field.type : "TEXT")
        .option->expected(1, CLI::detail::expected_max_vector_size)
        ->allow_extra_args(false);
    return true;
  }
  std::optional<std::size_t> begin_list(const Field& /*field*/, std::size_t /*size*/) override { return std::nullopt; }
  void enter_item(std::size_t /*index*/) override {}
  void end_list() override {}

  CLI::App& command_;
  Filter filter_;
  CommandLine& line_;
  std::vector<CLI::Option*> sections_;  ///< the flags of the optional ones that are open
};

/// Takes what was given.
class CommandLine::Taker final : public Archive {
 public:
  explicit Taker(const CommandLine& line) : line_(line) {}

 private:
  [[nodiscard]] const Entry* given(const Field& field) const {
    const auto found = line_.entries_.find(field.name);
    return found == line_.entries_.end() || found->second.given() == nullptr ? nullptr : &found->second;
  }

  void take(const Field& field, const Value& value, bool* present) override {
    const Entry* const entry = given(field);
    if (entry == nullptr) return;
    if (bool* const* const flag = std::get_if<bool*>(&value)) {
      **flag = *entry->flag != field.switched_off;
      return;
    }
    read_option(entry->given()->results().front(), field, value, present);
  }
  bool enter(const Field& field, bool* present) override {
    if (present == nullptr) return true;
    if (const Entry* const entry = given(field)) *present = *entry->flag;
    return *present;
  }
  void leave() override {}
  bool take_texts(const Field& field, TextList& texts) override {
    if (const Entry* const entry = given(field)) texts.read(entry->given()->results());
    return true;
  }
  std::optional<std::size_t> begin_list(const Field& /*field*/, std::size_t /*size*/) override { return std::nullopt; }
  void enter_item(std::size_t /*index*/) override {}
  void end_list() override {}

  const CommandLine& line_;
};

/// Adds an option that takes several values of one field.
class CommandLine::ListAdder final : public Through {
 public:
  ListAdder(CLI::App& command, std::string_view name, CommandLine& line)
      : command_(command), name_(name), line_(line) {}

 private:
  void take(const Field& field, const Value& value, bool* /*present*/) override {
    if (field.name != name_) return;
    const CLI::callback_t later = [](const CLI::results_t& /*given*/) { return true; };
    const std::string help = help_of(field) + (field.by_model ? " (default: what suits the model)" : "");
    CLI::Option* const option = command_.add_option(field.option_names(), later, help)->type_name("LIST");
    option->group(field.group)->default_str(field.by_model ? "" : value_text(value));
    line_.lists_.push_back({field, option});
  }

  CLI::App& command_;
  std::string_view name_;
  CommandLine& line_;
};

/// Puts one text into one field.
class CommandLine::Setter final : public Through {
 public:
  Setter(const List& list, std::string text) : list_(list), text_(std::move(text)) {}

 private:
  void take(const Field& field, const Value& value, bool* present) override {
    if (std::string_view(field.name) == list_.field.name)
      read_option(text_, field, value, present, ", or several separated by commas");
  }

  const List& list_;
  std::string text_;
};

const CLI::Option* CommandLine::Entry::given() const {
  const bool by_former = former != nullptr && former->count() > 0;
  if (by_former && option->count() > 0) {
    throw Error(ErrorKind::kUsage, "{} is the former name of {}; give one of them", field.former_option,
                field.option_name());
  }
  if (option->count() > 0) return option;
  return by_former ? former : nullptr;
}

bool CommandLine::gave(std::string_view field) const {
  const auto found = entries_.find(field);
  return found != entries_.end() && found->second.given() != nullptr;
}

std::string CommandLine::given_text(std::string_view field) const {
  return gave(field) ? entries_.find(field)->second.given()->results().front() : "";
}

void CommandLine::refuse(const Filter& filter, std::string_view when) const {
  for (const auto& [name, entry] : entries_) {
    if (!filter(entry.field) || entry.given() == nullptr) continue;
    throw Error(ErrorKind::kUsage, "{} has no effect {}; leave it out",
                entry.given() == entry.former ? entry.field.former_option : entry.field.option_name(), when);
  }
  for (const List& list : lists_) {
    if (!filter(list.field) || list.option->count() == 0) continue;
    throw Error(ErrorKind::kUsage, "{} has no effect {}; leave it out", list.field.option_name(), when);
  }
}

std::unique_ptr<Archive> CommandLine::make_adder(CLI::App& command, const Filter& filter) {
  return std::make_unique<Adder>(command, filter, *this);
}

std::unique_ptr<Archive> CommandLine::make_list_adder(CLI::App& command, const char* name) {
  return std::make_unique<ListAdder>(command, name, *this);
}

std::unique_ptr<Archive> CommandLine::make_taker() const {
  return std::make_unique<Taker>(*this);
}

std::unique_ptr<Archive> CommandLine::make_setter(const List& list, std::string text) {
  return std::make_unique<Setter>(list, std::move(text));
}

std::vector<std::string> CommandLine::texts_of(const List& list) {
  std::vector<std::string> texts;
  if (list.option->count() == 0) return texts;
  const std::string given = list.option->results().front();
  for (std::size_t begin = 0; begin <= given.size();) {
    const std::size_t comma = std::min(given.find(',', begin), given.size());
    texts.push_back(given.substr(begin, comma - begin));
    begin = comma + 1;
  }
  return texts;
}

}  // namespace unianimate::fields
