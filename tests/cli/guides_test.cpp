// The help says what every option is, and every command line in it and in the guides can be read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iomanip>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "support/file_content.h"
#include "unianimate/cli/session.h"

namespace unianimate {
namespace {

namespace fs = std::filesystem;

void check_help(const CLI::App& app, const std::string& command) {
  const auto parts = app.get_subcommands([](const CLI::App*) { return true; });
  EXPECT_THAT(app.get_footer(), ::testing::HasSubstr("Examples:\n")) << command;
  for (const CLI::App* part : parts) check_help(*part, command + " " + part->get_name());
  for (const CLI::Option* option : app.get_options()) {
    EXPECT_NE(option->get_description(), "") << command << " " << option->get_single_name();
    // A former name goes on being read and is not shown.
    const bool is_former = option->get_description().starts_with("What --");
    EXPECT_EQ(option->get_group().empty(), is_former) << command << " " << option->get_description();
  }
}

TEST(Help, HasExamplesAndSaysWhatEachOptionIs) {
  CLI::App app("", "unianimate");
  cli::Session session;
  cli::add_commands(app, session);
  for (const CLI::App* part : app.get_subcommands([](const CLI::App*) { return true; })) {
    check_help(*part, part->get_name());
  }
}

/// The command lines in a text: those that begin with the program's name, to the comment or the end, over lines that
/// end in a backslash; 'words in quotes' are one.
std::vector<std::vector<std::string>> command_lines(const std::string& text) {
  std::vector<std::vector<std::string>> lines;
  std::istringstream stream(std::regex_replace(text, std::regex(R"(\\\n)"), " "));
  for (std::string line; std::getline(stream, line);) {
    std::istringstream words(line);
    std::vector<std::string> command;
    for (std::string word; words >> std::quoted(word, '\'') && word != "#";) command.push_back(word);
    if (command.size() > 1 && command.front() == "unianimate" && line.find("…") == std::string::npos) {
      lines.emplace_back(command.begin() + 1, command.end());
    }
  }
  return lines;
}

void expect_readable(const std::string& text, const std::string& where) {
  for (const std::vector<std::string>& words : command_lines(text)) {
    CLI::App app("", "unianimate");
    cli::Session session;
    cli::add_commands(app, session);
    std::string line;
    for (const std::string& word : words) line += " " + word;
    std::vector<const char*> arguments{"unianimate"};
    for (const std::string& word : words) arguments.push_back(word.c_str());
    EXPECT_NO_THROW(app.parse(static_cast<int>(arguments.size()), arguments.data())) << where << ":" << line;
  }
}

void expect_readable_examples(const CLI::App& app) {
  expect_readable(app.get_footer(), "help of " + app.get_name());
  for (const CLI::App* part : app.get_subcommands([](const CLI::App*) { return true; }))
    expect_readable_examples(*part);
}

TEST(CommandLines, OfTheHelpCanBeRead) {
  CLI::App app("", "unianimate");
  cli::Session session;
  cli::add_commands(app, session);
  expect_readable_examples(app);
}

TEST(CommandLines, OfTheGuidesCanBeRead) {
  const fs::path root = UNIANIMATE_SOURCE_FOLDER;
  std::vector<fs::path> guides{root / "README.md", root / "models/puppet/README.md"};
  for (const auto& entry : fs::directory_iterator(root / "docs")) {
    if (entry.path().extension() == ".md") guides.push_back(entry.path());
  }
  for (const fs::path& guide : guides) {
    const std::string text = testing::file_content(guide);
    ASSERT_FALSE(text.empty()) << guide;
    // What stands in a block of commands.
    static const std::regex kBlock("```sh\n([^`]*)```");
    for (auto block = std::sregex_iterator(text.begin(), text.end(), kBlock); block != std::sregex_iterator();
         ++block) {
      expect_readable((*block)[1].str(), guide.string());
    }
  }
}

}  // namespace
}  // namespace unianimate
