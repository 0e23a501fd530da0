"""What scripts/compare_temporal.sh measured, judged by four points, as Markdown.

    temporal_verdict.py FOLDER "1 2 3" "8 16 32" "what was measured, and when"

FOLDER/KIND-SEED/log.jsonl is the log of a training, FOLDER/KIND-SEED-FRAMES/quality.json what its videos of so many frames
are like with the published sampling, FOLDER/KIND-SEED-FRAMES-one/quality.json with one step.
"""
import json
import sys

KINDS = {"transformer": "Transformer", "mamba": "Mamba"}
SAMPLINGS = {"": "30 steps, guidance 2.5", "-one": "one step"}
MEASURES = {"psnr": ("PSNR", 2), "figure_psnr": ("figure PSNR", 2), "ssim": ("SSIM", 4), "consistency": ("consistency", 4),
            "sharpness": ("sharpness", 3), "movement": ("movement", 3)}
SLOWER = 1.1  # a pass of the longest videos may take so many times as long


def mean(values):
    return sum(values) / len(values)


def spread(values):
    return max(values) - min(values)


def validation(folder, name):
    """The last one that was logged."""
    with open(f"{folder}/{name}/log.jsonl", encoding="utf-8") as log:
        found = [entry["validation"] for entry in map(json.loads, log) if "validation" in entry]
    return found[-1]


class Comparison:
    def __init__(self, folder, seeds, lengths):
        self.seeds = seeds
        self.lengths = lengths
        self.validations = {kind: [validation(folder, f"{kind}-{seed}") for seed in seeds] for kind in KINDS}
        self.rows = {}
        for kind in KINDS:
            for length in lengths:
                for sampling in SAMPLINGS:
                    self.rows[kind, length, sampling] = [self.row(f"{folder}/{kind}-{seed}-{length}{sampling}")
                                                         for seed in seeds]

    @staticmethod
    def row(folder):
        with open(f"{folder}/quality.json", encoding="utf-8") as file:
            return json.load(file)["rows"][0]

    def values(self, kind, length, sampling, measure):
        return [row[measure] for row in self.rows[kind, length, sampling]]

    def gain(self, length, sampling, measure):
        """Of Mamba, and what the seeds alone make of the Transformer."""
        other = self.values("transformer", length, sampling, measure)
        return mean(self.values("mamba", length, sampling, measure)) - mean(other), spread(other)

    def validation_point(self):
        change = mean(self.validations["mamba"]) - mean(self.validations["transformer"])
        allowed = spread(self.validations["transformer"])
        return change <= allowed, (f"Validation {mean(self.validations['mamba']):.4f}, that of the Transformer "
                                   f"{mean(self.validations['transformer']):.4f}, whose seeds lie {allowed:.4f} apart")

    def figure_point(self, sampling):
        met = True
        parts = []
        for length in self.lengths:
            gain, allowed = self.gain(length, sampling, "figure_psnr")
            met = met and gain >= -allowed
            parts.append(f"{gain:+.2f} dB at {length} frames (seeds {allowed:.2f})")
        return met, f"Within the figure, {SAMPLINGS[sampling]}: " + ", ".join(parts)

    def flicker_point(self, sampling):
        gains = [(self.gain(length, sampling, "consistency")[0], length) for length in self.lengths]
        return (all(gain <= 0 for gain, _ in gains),
                f"Errors of the changes from frame to frame, {SAMPLINGS[sampling]}: "
                + ", ".join(f"{gain:+.4f} at {length} frames" for gain, length in gains))

    def long_point(self, sampling):
        length = self.lengths[-1]
        psnr, figure = (self.gain(length, sampling, measure)[0] for measure in ("psnr", "figure_psnr"))
        return psnr > 0 and figure > 0, (f"At {length} frames, {SAMPLINGS[sampling]}: {psnr:+.2f} dB, {figure:+.2f} dB within the "
                                         "figure")

    def speed_point(self):
        length = self.lengths[-1]
        seconds = [mean(self.values(kind, length, "", "seconds_per_unet_call")) for kind in KINDS]
        ratio = seconds[1] / seconds[0]
        return ratio <= SLOWER, f"A pass over {length} frames takes {ratio:.2f} times as long"

    def points(self):
        """(what has to be so, [(whether it is, in numbers)])"""
        return [("Not worse by more than the seeds make of the Transformer",
                 [self.validation_point(), *(self.figure_point(sampling) for sampling in SAMPLINGS)]),
                ("Not more flicker", [self.flicker_point(sampling) for sampling in SAMPLINGS]),
                ("Better than the Transformer at the greatest length", [self.long_point(sampling) for sampling in SAMPLINGS]),
                (f"A pass at the greatest length not slower by more than {100 * (SLOWER - 1):.0f} %", [self.speed_point()])]

    def verdict(self):
        met = [number for number, (_, parts) in enumerate(self.points(), 1) if all(fine for fine, _ in parts)]
        if len(met) == len(self.points()):
            return "**Worth it**: the Mamba meets all four points."
        return f"**Not worth it**: the Mamba meets {len(met)} of the four points" + (
            f" (number {', '.join(map(str, met))})." if met else ".")

    def table(self, length, sampling):
        lines = [["temporal", "seed", *(name for name, _ in MEASURES.values()), "ms a pass"]]
        lines.append(["---"] * len(lines[0]))
        for kind, name in KINDS.items():
            for seed, row in zip(self.seeds, self.rows[kind, length, sampling]):
                lines.append([name, str(seed), *(f"{row[measure]:.{digits}f}" for measure, (_, digits) in MEASURES.items()),
                              f"{1000 * row['seconds_per_unet_call']:.0f}"])
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main(folder, seeds, lengths, written):
    comparison = Comparison(folder, seeds.split(), [int(length) for length in lengths.split()])
    print(f"# Measured: temporal Transformer and temporal Mamba\n\n{comparison.verdict()}\n\n{written}\n")
    for number, (wanted, parts) in enumerate(comparison.points(), 1):
        print(f"{number}. {wanted}: {'met' if all(fine for fine, _ in parts) else 'missed'}.")
        for fine, numbers in parts:
            print(f"   - {numbers}: {'so' if fine else 'not so'}.")
    print("\n| temporal | seed | validation |\n| --- | --- | --- |")
    for kind, name in KINDS.items():
        for seed, value in zip(comparison.seeds, comparison.validations[kind]):
            print(f"| {name} | {seed} | {value:.4f} |")
    for sampling, name in SAMPLINGS.items():
        for length in comparison.lengths:
            print(f"\n## {length} frames, {name}\n\n{comparison.table(length, sampling)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
