#include "unianimate/media/pictures/jpeg_errors.h"

// jerror.h lists the message codes only after jpeglib.h.
#include <jerror.h>

namespace unianimate {

namespace {

[[noreturn]] void fail(j_common_ptr codec) {
  static_assert(JMSG_LENGTH_MAX <= std::tuple_size_v<decltype(FailurePoint::message)>);
  auto& errors = *static_cast<JpegErrors*>(codec->client_data);
  codec->err->format_message(codec, errors.message.data());
  errors.jump_back();
}

void on_message(j_common_ptr codec, int level) {
  if (level >= 0) return;
  switch (codec->err->msg_code) {
    case JWRN_ARITH_BAD_CODE:
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_JPEG_EOF:
    case JWRN_MUST_RESYNC:
      fail(codec);
    default:
      break;
  }
}

}  // namespace

JpegErrors::JpegErrors() {
  jpeg_std_error(&manager);
  manager.error_exit = fail;
  manager.emit_message = on_message;
}

}  // namespace unianimate
