// In place of heif_decoder.cpp where what is built has to do without libheif.
#include "unianimate/core/error.h"
#include "unianimate/media/pictures/image_codecs.h"

namespace unianimate {

StoredHeader read_heif_header(const EncodedImage& file) {
  throw Error(ErrorKind::kInput,
              "{} is a HEIC or AVIF picture, and this program was built without libheif; convert it to JPEG or PNG",
              file.name);
}

Image decode_heif(const EncodedImage& file) {
  const StoredHeader header = read_heif_header(file);
  return {header.width, header.height};
}

}  // namespace unianimate
