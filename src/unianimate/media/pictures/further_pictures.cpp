#include "unianimate/media/pictures/further_pictures.h"

#include <atomic>

namespace unianimate {

namespace {

std::atomic<const FurtherDecoder*> chosen = nullptr;

}  // namespace

const FurtherDecoder* set_further_decoder(const FurtherDecoder* decoder) {
  return chosen.exchange(decoder);
}

const FurtherDecoder* further_decoder() {
  return chosen;
}

}  // namespace unianimate
