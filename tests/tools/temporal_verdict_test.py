"""Which temporal model is better, of numbers made up: temporal_verdict.py judged by results that are known."""
import io
import json
import pathlib
import sys
import tempfile
import unittest
from contextlib import redirect_stdout

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))
import temporal_verdict  # noqa: E402

SEEDS = {"transformer": [0.0, 0.2, 0.4], "mamba": [0.1, 0.2, 0.3]}  # dB that a seed adds
LENGTHS = [8, 32]


class Verdict(unittest.TestCase):
    def judged(self, validation=0.5, psnr=0.1, figure=0.0, consistency=-0.001, seconds=0.2):
        """The page where the Mamba differs by so much; `psnr` at the greatest length only."""
        with tempfile.TemporaryDirectory() as folder:
            for kind, seeds in SEEDS.items():
                mamba = kind == "mamba"
                for number, extra in enumerate(seeds, 1):
                    name = pathlib.Path(folder, f"{kind}-{number}")
                    name.mkdir()
                    last = (validation if mamba else 0.5) + 0.01 * extra
                    (name / "log.jsonl").write_text('{"format": "unianimate-training-log", "version": 1}\n'
                                                    '{"step": 1, "validation": 9}\n{"step": 2, "loss": 1}\n'
                                                    + json.dumps({"step": 2, "validation": last}) + "\n", encoding="utf-8")
                    for length in LENGTHS:
                        for sampling in temporal_verdict.SAMPLINGS:
                            row = {"psnr": 20 + extra + (psnr if mamba and length == 32 else 0),
                                   "figure_psnr": 15 + extra + (figure if mamba else 0), "ssim": 0.8,
                                   "consistency": 0.03 + (consistency if mamba else 0), "sharpness": 0.2, "movement": 0.9,
                                   "seconds_per_unet_call": seconds if mamba else 0.2}
                            to = pathlib.Path(folder, f"{kind}-{number}-{length}{sampling}")
                            to.mkdir()
                            (to / "quality.json").write_text(json.dumps({"rows": [row]}), encoding="utf-8")
            page = io.StringIO()
            with redirect_stdout(page):
                temporal_verdict.main(folder, "1 2 3", "8 32", "today")
            return page.getvalue()

    def test_all_four_points_make_it_worth_it(self):
        page = self.judged(figure=0.1)
        self.assertIn("**Worth it**", page)
        self.assertNotIn("missed", page)

    def test_worse_within_the_seeds_of_the_transformer_is_not_worse(self):
        # Its seeds lie 0.004 and 0.4 dB apart.
        self.assertIn("1. Not worse by more than the seeds make of the Transformer: met", self.judged(0.5039, figure=-0.39))
        self.assertIn("Transformer: missed", self.judged(0.5041))
        self.assertIn("Transformer: missed", self.judged(figure=-0.41))

    def test_any_flicker_counts(self):
        page = self.judged(figure=0.1, consistency=0.0001)
        self.assertIn("2. Not more flicker: missed", page)
        self.assertIn("**Not worth it**: the Mamba meets 3 of the four points (number 1, 3, 4).", page)

    def test_the_greatest_length_has_to_be_better_in_both(self):
        self.assertIn("3. Better than the Transformer at the greatest length: missed", self.judged(psnr=-0.1, figure=0.1))
        self.assertIn("3. Better than the Transformer at the greatest length: missed", self.judged(figure=-0.1))

    def test_a_tenth_slower_is_the_most(self):
        self.assertIn("not slower by more than 10 %: met", self.judged(seconds=0.2199))
        self.assertIn("not slower by more than 10 %: missed", self.judged(seconds=0.2201))

    def test_the_last_validation_counts(self):
        self.assertIn("| Transformer | 3 | 0.5040 |", self.judged())


if __name__ == "__main__":
    unittest.main()
