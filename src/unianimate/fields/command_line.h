// Structs of settings on the command line: what adds an option takes it, too.
#pragma once

#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unianimate/fields/archive.h"

namespace CLI {  // NOLINT(readability-identifier-naming): the library's own
class App;
class Option;
}  // namespace CLI

namespace unianimate::fields {

/// Some of a command's options: those of the fields of one struct. They are added before the command line is read and
/// taken after that.
class CommandLine {
 public:
  /// An option for every field that has a help text and passes the filter. `defaults` are those that the help shows;
  /// ranges and words stand there, too.
  template <Listed T>
  void add(CLI::App& command, const T& defaults, const Filter& filter = all_fields()) {
    T shown = defaults;
    const auto adder = make_adder(command, filter);
    visit(*adder, shown);
  }

  /// Options of number fields that take several values separated by commas, in this order; no default is shown, because
  /// it is that of the settings that are taken from.
  template <Listed T>
  void add_lists(CLI::App& command, std::initializer_list<const char*> names) {
    for (const char* name : names) {
      T shown;
      const auto adder = make_list_adder(command, name);
      visit(*adder, shown);
    }
  }

  /// Puts what was given into the settings; the other fields stay as they are. Throws Error(kUsage) that names the
  /// option, what was expected and what was given.
  template <Listed T>
  void take(T& settings) const {
    const auto taker = make_taker();
    visit(*taker, settings);
  }

  /// The same for settings that are else as they are by default.
  template <Listed T>
  [[nodiscard]] T taken(T settings = {}) const {
    take(settings);
    return settings;
  }

  /// The settings with every combination of the values that were given to the lists, the last list's changing first;
  /// never more than `most` and one. Throws as take() does.
  template <Listed T>
  [[nodiscard]] std::vector<T> combinations(const T& settings, std::size_t most) const {
    std::vector<T> all{settings};
    for (const List& list : lists_) {
      const std::vector<std::string> texts = texts_of(list);
      std::vector<T> longer;
      for (const T& one : all) {
        for (std::size_t i = 0; i < texts.size() && longer.size() <= most; ++i) {
          T& next = longer.emplace_back(one);
          const auto setter = make_setter(list, texts[i]);
          visit(*setter, next);
        }
      }
      if (!texts.empty()) all = std::move(longer);
    }
    return all;
  }

  /// Whether the command line has the option of this field.
  [[nodiscard]] bool gave(std::string_view field) const;

  /// What was given for it, the first word of several; empty where nothing was.
  [[nodiscard]] std::string given_text(std::string_view field) const;

  /// Throws Error(kUsage) where the command line has an option of a field that passes the filter: it "has no effect " +
  /// `when`.
  void refuse(const Filter& filter, std::string_view when) const;

 private:
  class Adder;
  class ListAdder;
  class Taker;
  class Setter;
  class Through;

  struct Entry {
    Field field;
    CLI::Option* option = nullptr;
    CLI::Option* former = nullptr;  ///< of the former name
    std::shared_ptr<bool> flag;     ///< what a flag was given as

    /// The one that was given, or null.
    [[nodiscard]] const CLI::Option* given() const;
  };
  struct List {
    Field field;
    const CLI::Option* option = nullptr;
  };

  [[nodiscard]] std::unique_ptr<Archive> make_adder(CLI::App& command, const Filter& filter);
  [[nodiscard]] std::unique_ptr<Archive> make_list_adder(CLI::App& command, const char* name);
  [[nodiscard]] std::unique_ptr<Archive> make_taker() const;
  [[nodiscard]] static std::unique_ptr<Archive> make_setter(const List& list, std::string text);
  [[nodiscard]] static std::vector<std::string> texts_of(const List& list);

  std::map<std::string, Entry, std::less<>> entries_;  ///< by the names of the fields
  std::vector<List> lists_;
};

}  // namespace unianimate::fields
