"""Who wins, of numbers made up: few_steps_verdict.py judged by results that are known."""
import io
import json
import pathlib
import sys
import tempfile
import unittest
from contextlib import redirect_stdout

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))
import few_steps_verdict  # noqa: E402


def row(steps, distance, psnr, guidance=1.0, seed=11, sampler="ddim", sharpness=0.3, movement=0.8):
    return {"steps": steps, "guidance": guidance, "seed": seed, "sampler": sampler, "sharpness": sharpness,
            "movement": movement, "psnr": 20.0, "ssim": 0.8, "figure_psnr": None, "consistency": 0.5,
            "against": {"latent_distance": distance, "psnr": psnr}}


REFERENCE = row(50, 0.0, 99.0, guidance=2.5)
# In 1, 2 and 4 passes, and in twice as many; two guided steps are four passes.
TEACHER = [row(1, 0.5, 20.0), row(2, 0.4, 22.0), row(1, 0.45, 21.0, guidance=2.5), row(4, 0.3, 24.0),
           row(2, 0.2, 25.0, guidance=2.5, sampler="unipc"), row(8, 0.1, 30.0), row(50, 0.6, 18.0, guidance=2.5, seed=12)]


class Verdict(unittest.TestCase):
    def judged(self, **students):
        """The page on students whose rows are (distance, PSNR[, sharpness]) in 1, 2 and 4 passes."""
        never = [(0.9, 10.0)] * 3
        with tempfile.TemporaryDirectory() as folder:
            rows = {"teacher": TEACHER}
            for name in few_steps_verdict.STUDENTS:
                results = students.get(name.replace("-", "_"), never)
                rows[name] = [row(steps, distance, psnr, sharpness=rest[0] if rest else 0.3)
                              for steps, (distance, psnr, *rest) in zip((1, 2, 4), results)]
            for name, some in rows.items():
                path = pathlib.Path(folder, name, "quality.json")
                path.parent.mkdir()
                path.write_text(json.dumps({"rows": [REFERENCE, *some]}), encoding="utf-8")
            page = io.StringIO()
            with redirect_stdout(page):
                few_steps_verdict.main(folder, "1 2 4", "today")
            return page.getvalue()

    def test_students_that_come_no_nearer_than_the_teacher_in_as_many_passes_lose(self):
        page = self.judged()
        self.assertIn("**Nobody won**: in 1, 2 and 4 passes", page)
        self.assertNotIn("| beats the teacher", page)

    def test_the_teacher_is_taken_at_its_best(self):
        # In four passes the guided teacher is at 0.2 in two steps, not at the 0.3 of four without guidance.
        self.assertIn("**Nobody won**", self.judged(lcm=[(0.9, 10.0), (0.9, 10.0), (0.25, 30.0)]))
        page = self.judged(lcm=[(0.9, 10.0), (0.9, 10.0), (0.15, 30.0)])
        self.assertIn("**LCM, whole UNet won**: in 4 passes", page)
        self.assertIn("and fails in 1 and 2.", page)
        self.assertIn("the teacher comes to 0.200 (25.00 dB; unipc, 2 steps, guidance 2.5)", page)

    def test_less_than_a_hundredth_nearer_is_not_nearer(self):
        self.assertIn("**Nobody won**", self.judged(phased=[(0.496, 30.0), (0.9, 10.0), (0.9, 10.0)]))
        self.assertIn("**phased, whole UNet won**: in 1 pass", self.judged(phased=[(0.494, 30.0), (0.9, 10.0), (0.9, 10.0)]))

    def test_latents_alone_do_not_win(self):
        self.assertIn("**Nobody won**", self.judged(phased=[(0.1, 19.0), (0.9, 10.0), (0.9, 10.0)]))

    def test_more_passes_won_go_before_a_smaller_distance(self):
        page = self.judged(lcm=[(0.4, 30.0), (0.3, 30.0), (0.9, 10.0)], lcm_lora=[(0.01, 40.0), (0.9, 10.0), (0.9, 10.0)])
        self.assertIn("**LCM, whole UNet won**: in 1 and 2 passes", page)
        self.assertIn("LCM, rank 16 does so in 1.", page)
        self.assertIn("phased, whole UNet fails in all of them.", page)

    def test_blur_is_told_of_winners(self):
        page = self.judged(lcm=[(0.1, 40.0, 0.2), (0.9, 10.0), (0.9, 10.0)])
        self.assertIn("| beats the teacher, less sharpness |", page)

    def test_other_starts_are_the_yardstick_and_no_rivals(self):
        self.assertIn("From other starts (seeds 12) the teacher itself comes to a distance of 0.600", self.judged())


if __name__ == "__main__":
    unittest.main()
