#include "unianimate/evaluation/quality_report.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "unianimate/core/error.h"
#include "unianimate/core/written_mark.h"
#include "unianimate/evaluation/markdown_table.h"
#include "unianimate/evaluation/variant_report.h"

namespace unianimate::evaluation {

namespace {

using nlohmann::ordered_json;

constexpr double kMilliseconds = 1000;

constexpr const char* kQualityExplanation =
    R"(PSNR and figure PSNR (within the person's outline) are in dB, means over frames and people; equal frames count as
100. SSIM has the 11-tap Gaussian window. L1 is the mean absolute difference and consistency the same of the changes
from frame to frame, both for values from 0 to 1: lower is better. Sharpness is the mean squared Laplacian of the frames
over that of the true ones, movement the mean squared change from frame to frame over the true one: 1 is the truth, less
is blurred, or moves less. Where the reference is the first frame, that frame counts in what a model makes, but not in
what repeats it. The time of a video is the median. Blurred pictures reach high PSNR: look at sharpness, and at the
contact sheet.
LPIPS and FVD are not measured, because the networks they need do not come with this program.
)";

void add_quality(TableRow& row, const Quality& quality) {
  row.push_back(fmt::format("{:.2f}", quality.psnr));
  row.push_back(fmt::format("{:.4f}", quality.ssim));
  row.push_back(figure_psnr_text(quality));
  row.push_back(fmt::format("{:.4f}", quality.mean_absolute_error));
  row.push_back(fmt::format("{:.4f}", quality.consistency_error));
  row.push_back(ratio_text(quality.sharpness));
  row.push_back(ratio_text(quality.movement));
}

std::string people_table(const ModelEvaluation& evaluation) {
  std::vector<const QualityRow*> columns;
  for (const SettingRow& row : evaluation.rows) columns.push_back(&row.row);
  for (const QualityRow& row : evaluation.baselines) columns.push_back(&row);
  std::vector<TableRow> table{{"person"}};
  for (const QualityRow* column : columns) table.front().push_back(column->name);
  for (std::size_t i = 0; i < columns.front()->people.size(); ++i) {
    TableRow& line = table.emplace_back(TableRow{fmt::to_string(columns.front()->people[i].seed)});
    for (const QualityRow* column : columns) {
      const Quality& quality = column->people[i].quality;
      line.push_back(fmt::format("{:.2f} / {:.3f} / {}", quality.psnr, quality.ssim, figure_psnr_text(quality)));
    }
  }
  return markdown_table(table);
}

ordered_json json_of(const std::optional<double>& number) {
  return number ? ordered_json(*number) : ordered_json(nullptr);
}

ordered_json json_of(const Quality& quality) {
  return {{"psnr", quality.psnr},
          {"ssim", quality.ssim},
          {"l1", quality.mean_absolute_error},
          {"consistency", quality.consistency_error},
          {"figure_psnr", json_of(quality.figure_psnr)},
          {"sharpness", json_of(quality.sharpness)},
          {"movement", json_of(quality.movement)}};
}

ordered_json json_of(const QualityRow& row) {
  ordered_json json{{"name", row.name}};
  json.update(json_of(row.mean));
  ordered_json people = ordered_json::array();
  for (const PersonQuality& person : row.people) {
    ordered_json& entry = people.emplace_back(ordered_json{{"seed", person.seed}});
    entry.update(json_of(person.quality));
    if (person.seconds > 0) entry["seconds"] = person.seconds;
    if (person.latent_distance) entry["latent_distance"] = *person.latent_distance;
  }
  json["people"] = std::move(people);
  return json;
}

ordered_json json_of(const SettingRow& row, const Setting& setting) {
  const family::AnimateRequest& request = setting.request;
  const diffusion::SamplerOptions sampling = request.sampling.resolved();
  ordered_json conditions = ordered_json::array();
  for (const family::Condition condition : request.conditions.conditions()) {
    conditions.push_back(family::condition_name(condition));
  }
  ordered_json json{{"name", row.row.name},
                    {"conditions", std::move(conditions)},
                    {"sampler", sampling.sampler},
                    {"steps", sampling.steps},
                    {"timesteps", sampling.timesteps.text()},
                    {"final_level", fields::word(*sampling.final_level)},
                    {"eta", *sampling.eta},
                    {"guidance", request.guidance_scale},
                    {"left_out", request.shortcuts.texts()},
                    {"preset", fields::word(request.preset)},
                    {"decoder", fields::word(request.decoder)},
                    {"noise_prior", request.noise_prior},
                    {"noise_prior_order", fields::word(request.noise_prior_order)},
                    {"seed", request.seed},
                    {"context_size", request.context.size},
                    {"context_overlap", request.context.overlap},
                    {"context_schedule", fields::word(request.context.schedule)},
                    {"context_weights", fields::word(request.context.weights)},
                    {"carry_state", request.context.carry_state},
                    {"chain", nullptr},
                    {"unet_calls_per_video", row.unet_calls},
                    {"pass_equivalents", row.pass_equivalents},
                    {"seconds_per_video", row.seconds_per_video},
                    {"seconds_per_unet_call", row.seconds_per_unet_call}};
  if (request.chain) {
    json["chain"] = {{"segment_size", request.chain->segment_size},
                     {"segment_overlap", request.chain->segment_overlap},
                     {"color_match", request.chain->color_match}};
  }
  json.update(json_of(row.row));
  json["variant"] = setting.variant;
  json["against"] = nullptr;
  if (setting.compared_with) {
    json["against"] = json_of(row.against);
    json["against"]["latent_distance"] = json_of(row.against.latent_distance());
  }
  return json;
}

/// With its heading; empty where nothing is compared.
std::string variants_part(const ModelEvaluation& evaluation) {
  if (!has_variants(evaluation)) return "";
  return fmt::format(
      "\n## Beside the first variant\n\nPSNR, SSIM, figure PSNR and consistency are those to the first variant's "
      "videos of the same people, and the distance of latents is ‖x − x₁‖ / ‖x₁‖, where x are the clean latents and x₁ "
      "the first variant's. With fewer than three people loading the models counts in the first one's time.\n\n{}",
      variants_table(evaluation));
}

/// What was guessed in all videos instead of computed; variants have it in their names.
std::string shortcuts_part(const ModelEvaluation& evaluation) {
  if (has_variants(evaluation)) return "";
  const std::vector<std::string> texts = evaluation.request.settings.front().request.shortcuts.texts();
  return texts.empty() ? "" : fmt::format("Left out in all videos: {}.\n\n", fmt::join(texts, ", "));
}

}  // namespace

std::string quality_table(const ModelEvaluation& evaluation) {
  TableRow head{"setting"};
  for (const Parameter& parameter : parameters()) head.emplace_back(parameter.name);
  const std::vector<Choice> unusual = unusual_choices(evaluation.request.settings);
  for (const Choice& choice : unusual) head.emplace_back(choice.name);
  for (const char* title : {"PSNR", "SSIM", "figure PSNR", "L1", "consistency", "sharpness", "movement", "s per video",
                            "ms per UNet call"}) {
    head.emplace_back(title);
  }
  std::vector<TableRow> table{head};
  for (std::size_t i = 0; i < evaluation.rows.size(); ++i) {
    const SettingRow& row = evaluation.rows[i];
    const Setting& setting = evaluation.request.settings[i];
    TableRow& line = table.emplace_back(TableRow{setting.label()});
    for (const Parameter& parameter : parameters()) line.push_back(parameter.text(setting.request));
    for (const Choice& choice : unusual) line.emplace_back(choice.word(setting.request));
    add_quality(line, row.row.mean);
    line.push_back(fmt::format("{:.2f}", row.seconds_per_video));
    line.push_back(fmt::format("{:.1f}", kMilliseconds * row.seconds_per_unet_call));
  }
  for (const QualityRow& row : evaluation.baselines) {
    TableRow& line = table.emplace_back(TableRow{row.name});
    line.resize(1 + parameters().size() + unusual.size());
    add_quality(line, row.mean);
    line.resize(head.size());
  }
  return markdown_table(table);
}

std::string quality_markdown(const ModelEvaluation& evaluation) {
  const ModelEvaluationRequest& request = evaluation.request;
  const puppet::ClipOptions& clip = request.clip;
  return fmt::format(
      "{}# Measured quality\n\n"
      "{} procedural people ({} to {}), motion: {}, {} frames of {}x{} at {:g} a second, computed with {} in {}.\n\n"
      "{}{}\n{}{}\n## Every person\n\nPSNR / SSIM / figure PSNR.\n\n{}",
      kMarkdownMark, request.people.count(), request.people.first, request.people.last,
      puppet::motion_name(clip.motion), clip.frames, clip.width, clip.height, clip.frames_per_second,
      evaluation.compute.device.str(), dtype_name(evaluation.compute), shortcuts_part(evaluation),
      quality_table(evaluation), kQualityExplanation, variants_part(evaluation), people_table(evaluation));
}

ordered_json quality_json(const ModelEvaluation& evaluation) {
  const ModelEvaluationRequest& request = evaluation.request;
  const puppet::ClipOptions& clip = request.clip;
  ordered_json rows = ordered_json::array();
  for (std::size_t i = 0; i < evaluation.rows.size(); ++i) {
    rows.push_back(json_of(evaluation.rows[i], request.settings[i]));
  }
  ordered_json baselines = ordered_json::array();
  for (const QualityRow& row : evaluation.baselines) baselines.push_back(json_of(row));
  return {{kJsonMarkField, kMark},
          {"first_person", request.people.first},
          {"last_person", request.people.last},
          {"motion", puppet::motion_name(clip.motion)},
          {"frames", clip.frames},
          {"width", clip.width},
          {"height", clip.height},
          {"frames_per_second", clip.frames_per_second},
          {"device", evaluation.compute.device.str()},
          {"dtype", dtype_name(evaluation.compute)},
          {"rows", std::move(rows)},
          {"baselines", std::move(baselines)},
          {"not_measured", {"LPIPS", "FVD"}}};
}

}  // namespace unianimate::evaluation
