#include "unianimate/server/http/multipart_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unianimate/server/http/message.h"

namespace unianimate::http {
namespace {

constexpr const char* kType = "multipart/form-data; boundary=\"XyZ\"";

std::string body_of(const std::string& content, const std::string& headers =
                                                    "Content-Disposition: form-data; name=\"file\"; "
                                                    "filename=\"person one.jpg\"\r\nContent-Type: image/jpeg\r\n") {
  return "--XyZ\r\n" + headers + "\r\n" + content + "\r\n--XyZ--\r\n";
}

struct Read {
  std::string content;
  std::string name;
};

Read read_pieces(const std::vector<std::string>& pieces, const char* type = kType) {
  Read read;
  MultipartReader reader(type, {}, [&](const MultipartReader::File& file) {
    read.name = file.name;
    return [&](std::string_view piece) { read.content += piece; };
  });
  for (const std::string& piece : pieces) reader.read(piece);
  reader.finish();
  return read;
}

std::string multipart_problem(const std::string& body, const char* type = kType) {
  try {
    read_pieces({body}, type);
  } catch (const Refused& refused) {
    return refused.problem().type + ": " + refused.problem().detail;
  }
  return "none";
}

const std::vector<std::string>& contents() {
  static const std::vector<std::string> kContents{"",
                                                  "a",
                                                  "\r\n",
                                                  "\r\n--Xy",
                                                  "\r\n--Xy\r\r\n--X",
                                                  "--XyZ",
                                                  "\r\r\n\n--XyZ",
                                                  std::string("\0\xff\r\n-", 5),
                                                  std::string(300, '-')};
  return kContents;
}

TEST(Multipart, IsReadHoweverItIsSplit) {
  for (const std::string& content : contents()) {
    const std::string body = body_of(content);
    for (std::size_t at = 0; at <= body.size(); ++at) {
      const Read read = read_pieces({body.substr(0, at), body.substr(at)});
      ASSERT_EQ(read.content, content) << "split at " << at;
      ASSERT_EQ(read.name, "person one.jpg");
    }
    std::vector<std::string> letters;
    for (const char letter : body) letters.emplace_back(1, letter);
    EXPECT_EQ(read_pieces(letters).content, content);
  }
}

TEST(Multipart, HoldsBackNoMoreThanABoundary) {
  std::size_t given = 0;
  MultipartReader reader(
      kType, {}, [&](const MultipartReader::File&) { return [&](std::string_view piece) { given += piece.size(); }; });
  const std::string body = body_of(std::string(1000, 'x'));
  reader.read(body.substr(0, body.size() - 100));
  EXPECT_GE(given + 100, 1000U - 100U);
}

TEST(Multipart, NamesTheFile) {
  const auto name_of = [](const std::string& parameters) {
    return read_pieces({body_of("x", "content-disposition: form-data" + parameters + "\r\n")}).name;
  };
  EXPECT_EQ(name_of("; filename=plain.png; name=file"), "plain.png");
  EXPECT_EQ(name_of("; name=\"a;filename=b\"; filename=\"q\\\"uote\\\\d.png\""), "q\"uote\\d.png");
  EXPECT_EQ(name_of("; filename=\"../../etc/passwd\""), "../../etc/passwd");
  EXPECT_EQ(name_of("; filename=\"\""), "");
  EXPECT_EQ(name_of("; FILENAME=\"a\""), "a");
}

TEST(Multipart, RefusesAllButOneFile) {
  const std::string file = "Content-Disposition: form-data; name=f; filename=a\r\n";
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "ends before its last boundary"},
      {"x", "does not begin with its boundary"},
      {"preamble\r\n" + body_of("x"), "does not begin with its boundary"},
      {"--XyZ--\r\n", "does not begin with its boundary"},
      {"--XyZ\r\n" + file, "ends before its last boundary"},
      {"--XyZ\r\n" + file + "\r\nabc", "ends before its last boundary"},
      {"--XyZ\r\n" + file + "\r\nabc\r\n--XyZ", "ends before its last boundary"},
      {"--XyZ\r\n" + file + "\r\nabc\r\n--XyZ\r\n" + file + "\r\nmore\r\n--XyZ--",
       "more parts than are taken; send exactly one file"},
      {"--XyZ\r\n" + file + "\r\nabc\r\n--XyZ \r\n", "where the line should end"},
      {"--XyZ\r\n" + file + "\r\nabc\r\n--XyZ--epilogue", "goes on after its last boundary"},
      {body_of("x", ""), "a part that is no file"},
      {body_of("x", "Content-Disposition: form-data; name=\"field\"\r\n"), "a part that is no file"},
      {body_of("x", "Content-Disposition: attachment; filename=\"a\"\r\n"), "a part that is no file"},
      {body_of("x", "Content-Disposition: form-data; filename=\"a\r\n"), "a part that is no file"},
      {body_of("x", file + file), "two names"},
      {body_of("x", file + "broken\r\n"), "broken header"},
      {body_of("x", file + "Content-Transfer-Encoding: base64\r\n"), "transfer encoding"},
      {body_of("x", "Content-Disposition: form-data; filename=\"a\tb\"\r\n"), "control characters"},
  };
  for (const auto& [body, reason] : cases) {
    const std::string problem = multipart_problem(body);
    EXPECT_TRUE(problem.starts_with("bad-request: ")) << body << "\n" << problem;
    EXPECT_NE(problem.find(reason), std::string::npos) << body << "\n" << problem;
  }
}

TEST(Multipart, HasLimits) {
  EXPECT_NE(multipart_problem("--XyZ\r\nX: " + std::string(4096, 'x')).find("too-large: "), std::string::npos);
  const std::string longest(70, 'b');
  const std::string headers = "\r\nContent-Disposition: form-data; filename=a\r\n\r\n";
  EXPECT_EQ(multipart_problem("--" + longest + headers + "\r\n--" + longest + "--",
                              ("multipart/form-data; boundary=" + longest).c_str()),
            "none");
  EXPECT_NE(multipart_problem("", ("multipart/form-data; boundary=" + longest + "b").c_str()).find("70"),
            std::string::npos);
  for (const char* type : {"multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\"a",
                           "multipart/form-data; boundary=\"a\r\nb\"", "multipart/form-data; x"}) {
    EXPECT_NE(multipart_problem("", type).find("no boundary"), std::string::npos) << type;
  }
}

// ---- forms with several files and fields

constexpr FormLimits kTwoAndTwo{.files = 2, .fields = 2, .field_bytes = 16};

/// "first=<a.png>content": each part in its order; a file has its name in brackets.
std::string read_form(const std::vector<std::string>& pieces) {
  std::string files;
  MultipartReader reader(kType, kTwoAndTwo, [&](const MultipartReader::File& file) {
    files += file.field + "=<" + file.name + ">";
    return [&](std::string_view piece) { files += piece; };
  });
  for (const std::string& piece : pieces) reader.read(piece);
  reader.finish();
  for (const auto& [name, text] : reader.fields()) files += "|" + name + "=" + text;
  return files;
}

std::string form_of(const std::vector<std::pair<std::string, std::string>>& parts) {
  std::string body;
  for (const auto& [parameters, content] : parts) {
    body += "--XyZ\r\nContent-Disposition: form-data" + parameters + "\r\n\r\n" + content + "\r\n";
  }
  return body + "--XyZ--\r\n";
}

std::string form_problem(const std::vector<std::pair<std::string, std::string>>& parts) {
  try {
    return read_form({form_of(parts)});
  } catch (const Refused& refused) {
    return refused.problem().type + ": " + refused.problem().detail;
  }
}

TEST(Multipart, FormsAreReadHoweverTheyAreSplit) {
  for (const std::string& content : contents()) {
    const std::string body = form_of({{"; name=text", "\r\n--Xy"},
                                      {"; name=first; filename=a.png", content},
                                      {"; name=empty", ""},
                                      {"; name=second; filename=b.mp4", content}});
    const std::string expected = "first=<a.png>" + content + "second=<b.mp4>" + content + "|text=\r\n--Xy|empty=";
    for (std::size_t at = 0; at <= body.size(); ++at) {
      ASSERT_EQ(read_form({body.substr(0, at), body.substr(at)}), expected) << "split at " << at;
    }
    std::vector<std::string> letters;
    for (const char letter : body) letters.emplace_back(1, letter);
    EXPECT_EQ(read_form(letters), expected);
  }
}

TEST(Multipart, FormsHaveLimits) {
  const std::pair<std::string, std::string> file("; name=f; filename=a", "x");
  const std::pair<std::string, std::string> field("; name=t", "x");
  EXPECT_EQ(form_problem({field, file, field, file}), "f=<a>xf=<a>x|t=x|t=x");
  EXPECT_EQ(form_problem({{"; name=t", std::string(15, 'y')}}), "|t=" + std::string(15, 'y'));
  const std::vector<std::pair<std::vector<std::pair<std::string, std::string>>, std::string>> cases{
      {{file, file, file}, "bad-request: the multipart body has more parts than are taken"},
      {{field, field, field}, "bad-request: the multipart body has more parts than are taken"},
      {{{"; name=t", std::string(16, 'y')}}, "too-large: a field of the multipart body has over 16 bytes"},
      {{{"; name=" + std::string(17, 'n'), ""}}, "too-large: a field of the multipart body has over 16 bytes"},
      {{{"", "x"}}, "bad-request: the multipart body has a part without a name"},
      {{{"; name=\"a\tb\"", "x"}}, "bad-request: the multipart body has control characters"},
      {{{"; name=\"a\tb\"; filename=a", "x"}}, "bad-request: the multipart body has control characters"}};
  for (const auto& [parts, problem] : cases) EXPECT_EQ(form_problem(parts).substr(0, problem.size()), problem);
}

TEST(Multipart, IsToldByItsType) {
  EXPECT_TRUE(MultipartReader::is_multipart("Multipart/Form-Data ; boundary=a"));
  EXPECT_FALSE(MultipartReader::is_multipart("multipart/mixed; boundary=a"));
  EXPECT_FALSE(MultipartReader::is_multipart("image/jpeg"));
}

}  // namespace
}  // namespace unianimate::http
