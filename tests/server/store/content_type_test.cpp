#include "unianimate/server/store/content_type.h"

#include <gtest/gtest.h>

#include <string>

#include "unianimate/core/error.h"

namespace unianimate::store {
namespace {

using std::string_view_literals::operator""sv;

TEST(ContentTypes, AreFoundByHowAFileBegins) {
  struct Sample {
    std::string_view beginning;
    std::string_view type;
  };
  for (const Sample& sample : {
           Sample{"\xff\xd8\xff\xe0 JFIF"sv, "image/jpeg"},
           Sample{"\x89PNG\r\n\x1a\n...."sv, "image/png"},
           Sample{"GIF89a...."sv, "image/gif"},
           Sample{"RIFF\1\2\3\4WEBPVP8 "sv, "image/webp"},
           Sample{"RIFF\1\2\3\4AVI LIST"sv, "video/x-msvideo"},
           Sample{"RIFF\1\2\3\4WAVEfmt "sv, ""},
           Sample{"\0\0\0\x18"
                  "ftypheic"sv,
                  "image/heic"},
           Sample{"\0\0\0\x18"
                  "ftypavif"sv,
                  "image/avif"},
           Sample{"\0\0\0\x18"
                  "ftypisom"sv,
                  "video/mp4"},
           Sample{"\0\0\0\x14"
                  "ftypqt  "sv,
                  "video/quicktime"},
           Sample{"\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm"sv, "video/webm"},
           Sample{"\x1a\x45\xdf\xa3\x9f\x42\x82\x88matroska"sv, "video/x-matroska"},
           Sample{"II*\0...."sv, "image/tiff"},
           Sample{"{\"frames\""sv, "application/json"},
           Sample{"\xef\xbb\xbf \n[1]"sv, "application/json"},
           Sample{"#!/bin/sh"sv, ""},
           Sample{"<html>"sv, ""},
           Sample{"\x7f"
                  "ELF"sv,
                  ""},
           Sample{"RIFF"sv, ""},
           Sample{""sv, ""},
       }) {
    EXPECT_EQ(content_type(sample.beginning), sample.type) << sample.beginning;
  }
}

TEST(ContentTypes, HaveEndings) {
  EXPECT_EQ(ending_of("image/jpeg"), ".jpg");
  EXPECT_EQ(ending_of("application/json"), ".json");
  EXPECT_THROW(ending_of("text/html"), Error);
  EXPECT_THROW(ending_of("../x"), Error);
}

}  // namespace
}  // namespace unianimate::store
