#include "unianimate/media/film/video_writer.h"

extern "C" {
#include <libavutil/cpu.h>
}

#include <algorithm>
#include <cctype>
#include <fstream>
#include <string_view>

#include "unianimate/core/error.h"
#include "unianimate/core/output_file.h"
#include "unianimate/core/threads.h"
#include "unianimate/core/written_mark.h"
#include "unianimate/media/film/audio_track.h"
#include "unianimate/media/film/ffmpeg_handles.h"
#include "unianimate/media/film/frame_filter.h"
#include "unianimate/media/pictures/png_sequence.h"

namespace unianimate {

namespace fs = std::filesystem;

namespace {

constexpr int kMaxSide = 16384;
constexpr double kMinFramesPerSecond = 0.01;
constexpr double kMaxFramesPerSecond = 1000;

// One kind of video file. Options are written key=value:key=value.
struct Recipe {
  std::string_view suffix;
  const char* muxer;
  const char* muxer_options;
  const char* encoder;
  const char* encoder_options;
  const char* preview_options;
  // FFmpeg filters from rgb24 to what the encoder takes.
  std::string_view filters;
  // Halved colour planes in BT.709, limited range: even sides only.
  bool subsampled;
  double max_frames_per_second;
  ffmpeg::AudioRecipe audio;
};

constexpr std::string_view kToYuv420 =
    "scale=out_color_matrix=bt709:out_range=tv:flags=bicubic+accurate_rnd+full_chroma_int,format=yuv420p";

constexpr Recipe kRecipes[] = {
    {".mp4",
     "mp4",
     "movflags=+faststart",
     "libx264",
     "crf=18:preset=medium",
     "crf=25:preset=ultrafast:tune=fastdecode",
     kToYuv420,
     true,
     kMaxFramesPerSecond,
     {"aac", AV_SAMPLE_FMT_FLTP, 96'000}},
    {".mkv",
     "matroska",
     "",
     "ffv1",
     "level=3:slicecrc=1:g=1",
     "level=3:slicecrc=1:g=1",
     "format=bgr0",
     false,
     kMaxFramesPerSecond,
     {"flac", AV_SAMPLE_FMT_S16, 0}},
    {".webm",
     "webm",
     "",
     "libvpx-vp9",
     "crf=24:b=0:deadline=good:cpu-used=2:row-mt=1",
     "crf=32:b=0:deadline=realtime:cpu-used=8:row-mt=1",
     kToYuv420,
     true,
     kMaxFramesPerSecond,
     {"libopus", AV_SAMPLE_FMT_FLT, 64'000}},
    {".gif",
     "gif",
     "",
     "gif",
     "",
     "",
     "split[picture][copy];[copy]palettegen=stats_mode=single[palette];[picture][palette]paletteuse=new=1",
     false,
     50,
     {}},
};

const Recipe* find_recipe(const fs::path& path) {
  std::string suffix = path.extension().string();
  std::ranges::transform(suffix, suffix.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto* recipe = std::ranges::find(kRecipes, suffix, &Recipe::suffix);
  return recipe == std::end(kRecipes) ? nullptr : recipe;
}

const Recipe& recipe_for(const fs::path& path, const VideoFormat& format) {
  const Recipe* recipe = find_recipe(path);
  if (recipe == nullptr) {
    throw Error(ErrorKind::kUsage,
                "the kind of video cannot be told from the output's name {}; let it end in .mp4, .webm, .mkv "
                "(lossless), .gif, or in '/' for a folder of PNG pictures",
                path.string());
  }
  if (avcodec_find_encoder_by_name(recipe->encoder) == nullptr) {
    throw Error(
        ErrorKind::kEnvironment,
        "this FFmpeg was built without the encoder {} that {} needs; install a full FFmpeg or write another kind",
        recipe->encoder, path.string());
  }
  if (format.frames_per_second > recipe->max_frames_per_second) {
    throw Error(ErrorKind::kUsage, "{} cannot show {} frames per second; at most {} are possible, or write .mp4",
                path.string(), format.frames_per_second, recipe->max_frames_per_second);
  }
  return *recipe;
}

// libx264's macroblock tree in AVX-512 takes part of what lies behind its rows for costs, so that the same frames make
// other files from run to run where the width is no multiple of 128. In AVX2 it does not, and is as fast.
std::string encoder_options(const Recipe& recipe, VideoEffort effort) {
  std::string options(effort == VideoEffort::kPreview ? recipe.preview_options : recipe.encoder_options);
  const bool affected = recipe.encoder == std::string_view("libx264") && (av_get_cpu_flags() & AV_CPU_FLAG_AVX512) != 0;
  return affected ? options + ":x264-params=asm=avx2" : options;
}

// Odd sides of a subsampled video gain one pixel that repeats the last column or row.
std::string filters_for(const Recipe& recipe, const VideoFormat& format) {
  const int right = format.width % 2;
  const int bottom = format.height % 2;
  if (!recipe.subsampled || right + bottom == 0) return std::string(recipe.filters);
  return fmt::format("format=gbrp,pad={}:{},fillborders=right={}:bottom={}:mode=smear,{}", format.width + right,
                     format.height + bottom, right, bottom, recipe.filters);
}

AVRational rational(double frames_per_second) {
  // The bound keeps 24000/1001 and its kin exact.
  constexpr int kMaxTerm = 1'001'000;
  return av_d2q(frames_per_second, kMaxTerm);
}

class Options {
 public:
  explicit Options(const char* text) { av_dict_parse_string(&options_, text, "=", ":", 0); }
  ~Options() { av_dict_free(&options_); }
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;

  AVDictionary** get() { return &options_; }

 private:
  AVDictionary* options_ = nullptr;
};

// FFmpeg's muxer writes no comments. GIF89a, 24: introducer, label, length, text and end, before the trailer.
void add_gif_comment(const fs::path& path, std::string_view comment) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(-1, std::ios::end);
  file << "\x21\xFE" << static_cast<char>(comment.size()) << comment << '\0' << ';';
  file.close();
  if (!file) throw Error(ErrorKind::kEnvironment, "the video {} could not be written", printable(path.string()));
}

class VideoFile final : public FrameSink {
 public:
  VideoFile(const fs::path& path, const Recipe& recipe, const VideoFormat& format,
            const std::optional<AudioSource>& audio)
      : format_(format),
        output_(path),
        filter_(filters_for(recipe, format), format.width, format.height, AV_PIX_FMT_RGB24,
                rational(format.frames_per_second)),
        packet_(ffmpeg::allocated(av_packet_alloc())) {
    AVFormatContext* container = nullptr;
    require(avformat_alloc_output_context2(&container, nullptr, recipe.muxer,
                                           ffmpeg::file_url(output_.temporary()).c_str()));
    container_.reset(container);
    container_->flags |= AVFMT_FLAG_BITEXACT;  // the same frames make the same file: no random numbers in it
    require(av_dict_set(&container_->metadata, "comment", mark(), 0));
    open_encoder(recipe);
    if (audio && recipe.audio.encoder != nullptr) open_audio(*audio, recipe.audio);
    require(avio_open(&container_->pb, container_->url, AVIO_FLAG_WRITE));
    Options options(recipe.muxer_options);
    require(avformat_write_header(container_.get(), options.get()));
    trailer_due_ = true;
  }

  // Some muxers free what they hold only with the trailer, so even a file to be thrown away gets one.
  ~VideoFile() override {
    if (trailer_due_) av_write_trailer(container_.get());
  }
  VideoFile(const VideoFile&) = delete;
  VideoFile& operator=(const VideoFile&) = delete;

  void write(const Image& frame) override {
    check_frame_size(frame, format_.width, format_.height);
    filter_.push(frame);
    encode_filtered();
    ++count_;
    with_audio([&] { audio_->write_until(count_); });
  }

  void finish() override {
    check_frame_count(count_, output_.final_path());
    filter_.push_end();
    encode_filtered();
    encode(nullptr);
    with_audio([&] { audio_->finish(count_); });
    trailer_due_ = false;
    require(av_write_trailer(container_.get()));
    require(container_->pb->error);
    require(avio_closep(&container_->pb));
    if (std::string_view(container_->oformat->name) == "gif") add_gif_comment(output_.temporary(), mark());
    output_.commit();
  }

  [[nodiscard]] std::string trouble() const override {
    if (!silence_.empty() || !audio_ || audio_->damaged() == 0) return silence_;
    return fmt::format("{} pieces of the sound are damaged and left silent", audio_->damaged());
  }

 private:
  void require(int code) const {
    if (code >= 0) return;
    throw Error(ErrorKind::kEnvironment, "the video {} could not be written: {}", output_.final_path().string(),
                ffmpeg::reason(code));
  }

  [[nodiscard]] const char* mark() const {
    return format_.effort == VideoEffort::kPreview ? kPreviewMark.data() : kMark.data();
  }

  void open_encoder(const Recipe& recipe) {
    const AVCodec* codec = avcodec_find_encoder_by_name(recipe.encoder);
    encoder_.reset(ffmpeg::allocated(avcodec_alloc_context3(codec)));
    const AVRational frame_rate = rational(format_.frames_per_second);
    encoder_->width = filter_.width();
    encoder_->height = filter_.height();
    encoder_->pix_fmt = filter_.pixel_format();
    encoder_->framerate = frame_rate;
    encoder_->time_base = av_inv_q(frame_rate);
    encoder_->sample_aspect_ratio = {1, 1};
    encoder_->thread_count = library_threads(format_.threads);
    if (recipe.subsampled) {
      encoder_->color_range = AVCOL_RANGE_MPEG;
      encoder_->colorspace = AVCOL_SPC_BT709;
      encoder_->color_primaries = AVCOL_PRI_BT709;
      encoder_->color_trc = AVCOL_TRC_BT709;
    }
    if ((container_->oformat->flags & AVFMT_GLOBALHEADER) != 0) encoder_->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    Options options(encoder_options(recipe, format_.effort).c_str());
    require(avcodec_open2(encoder_.get(), codec, options.get()));

    stream_ = ffmpeg::allocated(avformat_new_stream(container_.get(), nullptr));
    require(avcodec_parameters_from_context(stream_->codecpar, encoder_.get()));
    stream_->time_base = encoder_->time_base;
    stream_->avg_frame_rate = frame_rate;
    stream_->sample_aspect_ratio = encoder_->sample_aspect_ratio;
  }

  void open_audio(const AudioSource& source, const ffmpeg::AudioRecipe& recipe) {
    const AVRational frame_rate = rational(format_.frames_per_second);
    try {
      audio_ = std::make_unique<ffmpeg::AudioTrack>(source, recipe, frame_rate, *container_,
                                                    [this](AVPacket& packet) { write_packet(packet); });
    } catch (const Error& problem) {
      give_up_audio(problem, "the video has no sound");
    }
  }

  template <typename Action>
  void with_audio(const Action& action) {
    if (!audio_ || !silence_.empty()) return;
    try {
      action();
    } catch (const Error& problem) {
      give_up_audio(problem, "the sound ends early");
    }
  }

  // Sound that cannot be read is no reason to lose the video.
  void give_up_audio(const Error& problem, std::string_view consequence) {
    if (problem.kind() != ErrorKind::kInput) throw;
    silence_ = fmt::format("{}: {}", consequence, problem.what());
  }

  void encode_filtered() {
    while (const ffmpeg::Frame frame = filter_.pull()) encode(frame.get());
  }

  // Null: no frame follows, and what the encoder still holds is written.
  void encode(AVFrame* frame) {
    if (frame != nullptr) frame->pict_type = AV_PICTURE_TYPE_NONE;
    require(avcodec_send_frame(encoder_.get(), frame));
    while (true) {
      const int received = avcodec_receive_packet(encoder_.get(), packet_.get());
      if (received == AVERROR(EAGAIN) || received == AVERROR_EOF) break;
      require(received);
      if (packet_->duration == 0) packet_->duration = 1;
      packet_->stream_index = stream_->index;
      av_packet_rescale_ts(packet_.get(), encoder_->time_base, stream_->time_base);
      write_packet(*packet_);
    }
  }

  void write_packet(AVPacket& packet) {
    require(av_interleaved_write_frame(container_.get(), &packet));
    require(container_->pb->error);
  }

  VideoFormat format_;
  OutputPath output_;
  ffmpeg::FrameFilter filter_;
  ffmpeg::Packet packet_;
  ffmpeg::Output container_;
  ffmpeg::Codec encoder_;
  AVStream* stream_ = nullptr;
  std::unique_ptr<ffmpeg::AudioTrack> audio_;
  // Why there is no sound, or no more of it.
  std::string silence_;
  bool trailer_due_ = false;
  std::int64_t count_ = 0;
};

}  // namespace

void VideoFormat::check() const {
  if (width < 1 || height < 1 || width > kMaxSide || height > kMaxSide) {
    throw Error(ErrorKind::kUsage, "a video's sides must lie between 1 and {} pixels, but {}×{} was asked for",
                kMaxSide, width, height);
  }
  if (!(frames_per_second >= kMinFramesPerSecond && frames_per_second <= kMaxFramesPerSecond)) {
    throw Error(ErrorKind::kUsage, "the frames per second must lie between {} and {}, but are {}", kMinFramesPerSecond,
                kMaxFramesPerSecond, frames_per_second);
  }
  if (threads < 0) {
    throw Error(ErrorKind::kUsage, "the encoder's threads must be 0 (automatic) or more, but are {}", threads);
  }
}

std::unique_ptr<FrameSink> open_video_writer(const fs::path& path, const VideoFormat& format,
                                             const std::optional<AudioSource>& audio) {
  format.check();
  if (names_a_folder(path)) return open_png_sequence(path, format.width, format.height);
  const Recipe& recipe = recipe_for(path, format);
  ffmpeg::be_quiet();
  return std::make_unique<VideoFile>(path, recipe, format, audio);
}

bool names_a_folder(const fs::path& path) {
  std::error_code ignored;
  return (!path.empty() && !path.has_filename()) || fs::is_directory(path, ignored);
}

std::string why_no_audio(const fs::path& path) {
  if (names_a_folder(path)) return "a folder of pictures holds no sound";
  const Recipe* recipe = find_recipe(path);
  return recipe != nullptr && recipe->audio.encoder == nullptr ? "GIF pictures hold no sound" : "";
}

void check_output(const fs::path& path, const VideoFormat& format) {
  format.check();
  if (names_a_folder(path)) return check_png_sequence(path);
  recipe_for(path, format);
  const OutputPath place(path);
}

void check_space(const fs::path& path, const VideoFormat& format, std::int64_t frames) {
  constexpr std::int64_t kVideoBytes = 1'000'000;
  const std::int64_t needed = names_a_folder(path) ? lossless_bytes(format.width, format.height, frames) : kVideoBytes;
  require_room(path, static_cast<std::uintmax_t>(needed), "the video");
}

std::int64_t lossless_bytes(int width, int height, std::int64_t frames) {
  // Pictures of people hardly compress below a twelfth of their three bytes for each pixel.
  constexpr std::int64_t kPixelsPerByte = 4;
  return frames * width * height / kPixelsPerByte;
}

}  // namespace unianimate
