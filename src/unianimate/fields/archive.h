// One list for each struct of settings: beside `struct Settings` stands `void visit(fields::Archive&, Settings&)`,
// which names every field once with its range, words and help. Reading and writing files, comparing, checking and the
// command line are archives that such a visit is called with.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "unianimate/fields/field.h"
#include "unianimate/fields/value.h"

namespace unianimate::fields {

namespace detail {

template <typename T>
struct OptionalTraits : std::false_type {};
template <typename T>
struct OptionalTraits<std::optional<T>> : std::true_type {};

}  // namespace detail

/// What a visit calls. Readers put values into the members, writers leave them as they are.
class Archive {
 public:
  virtual ~Archive() = default;

  /// A number, flag, text, path, word, or list of such; or an optional of one.
  template <typename T, typename... Traits>
  void operator()(const char* name, T& member, const Traits&... traits) {
    const Field field = make_field(name, traits...);
    if constexpr (detail::OptionalTraits<T>::value) {
      bool present = member.has_value();
      typename T::value_type held = member.value_or(typename T::value_type{});
      take_member(field, held, &present);
      if (present) {
        member = std::move(held);
      } else {
        member.reset();
      }
    } else {
      take_member(field, member, nullptr);
    }
  }

  /// Two sides in pixels. With sides() they are two numbers in files, else a text "512x768". Where they may be
  /// `missing`, they then are 0.
  template <typename... Traits>
  void size(const char* name, int& width, int& height, const Traits&... traits) {
    take(make_field(name, traits...), SizeValue{&width, &height}, nullptr);
  }
  template <typename... Traits>
  void optional_size(const char* name, int& width, int& height, const Traits&... traits) {
    bool present = width != 0;
    take(make_field(name, traits...), SizeValue{&width, &height}, &present);
    if (!present) width = height = 0;
  }

  /// A struct inside, with a visit of its own; or an optional of one, whose option is a flag. (A struct whose fields
  /// are to stand among the others is simply visited.)
  template <typename T, typename... Traits>
  void section(const char* name, T& part, const Traits&... traits) {
    const Field field = make_field(name, traits...);
    if constexpr (detail::OptionalTraits<T>::value) {
      bool present = part.has_value();
      typename T::value_type held = part.value_or(typename T::value_type{});
      if (enter(field, &present)) {
        visit(*this, held);
        leave();
      }
      if (present) {
        part = std::move(held);
      } else {
        part.reset();
      }
    } else if (enter(field, nullptr)) {
      visit(*this, part);
      leave();
    }
  }

  /// Any number of structs. Where these have a text form, too, that is what an option takes.
  template <typename T, typename... Traits>
  void list(const char* name, std::vector<T>& parts, const Traits&... traits) {
    const Field field = make_field(name, traits...);
    if constexpr (HasTextForm<T>) {
      FormedList<T> texts(parts);
      if (take_texts(field, texts)) return;
    }
    const std::optional<std::size_t> size = begin_list(field, parts.size());
    if (!size) return;
    parts.resize(*size);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      enter_item(i);
      visit(*this, parts[i]);
      leave();
    }
    end_list();
  }

 protected:
  Archive() = default;
  Archive(const Archive&) = default;
  Archive& operator=(const Archive&) = default;

 private:
  /// `present`: null where there always is a value.
  virtual void take(const Field& field, const Value& value, bool* present) = 0;
  /// Whether to go through what is inside; leave() follows where it is true.
  virtual bool enter(const Field& field, bool* present) = 0;
  virtual void leave() = 0;
  /// How many there are to go through, given how many there were: for each, enter_item() and leave() follow, and
  /// end_list() after the last. Nothing where the list is left alone.
  virtual std::optional<std::size_t> begin_list(const Field& field, std::size_t size) = 0;
  virtual void enter_item(std::size_t index) = 0;
  virtual void end_list() = 0;
  /// Whether the list is done with as texts.
  virtual bool take_texts(const Field& /*field*/, TextList& /*texts*/) { return false; }

  template <typename T>
  void take_member(const Field& field, T& member, bool* present) {
    if constexpr (HasWords<T>) {
      WordValue<T> text(member);
      take(field, &text, present);
    } else if constexpr (HasTextForm<T>) {
      FormedValue<T> text(member);
      take(field, &text, present);
    } else {
      take(field, &member, present);
    }
  }
};

/// A struct that has a list of its fields.
template <typename T>
concept Listed = requires(Archive& archive, T& settings) {
  visit(archive, settings);
};

}  // namespace unianimate::fields
