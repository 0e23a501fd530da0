"""What scripts/judge_few_steps.sh measured, judged by the rule, as Markdown.

    few_steps_verdict.py FOLDER "1 2 4 8" "what was measured, and when"

FOLDER/NAME/quality.json of the teacher and of each student has a row for the reference result, then rows for the others.
"""
import json
import sys

STUDENTS = {"lcm": "LCM, whole UNet", "phased": "phased, whole UNet", "lcm-lora": "LCM, rank 16"}
MARGIN = 0.99  # of the teacher's distance: what is nearer by less than a hundredth is not nearer
HEAD = ("who", "distance", "PSNR", "sharpness", "movement", "PSNR to the truth", "SSIM", "figure PSNR", "consistency", "")


def passes(row):
    return row["steps"] * (1 if row["guidance"] == 1 else 2)


def distance(row):
    return row["against"]["latent_distance"]


def nearness(row):
    return row["against"]["psnr"]


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def listed(some):
    some = [str(one) for one in some]
    return " and ".join(some[-2:]) if len(some) < 3 else ", ".join(some[:-1]) + " and " + some[-1]


def at(numbers):
    return f"{listed(numbers)} {'pass' if numbers == [1] else 'passes'}"


def way(row):
    """How the teacher was sampled."""
    guided = "without guidance" if row["guidance"] == 1 else f"guidance {row['guidance']:g}"
    return f"{row['sampler']}, {row['steps']} {'step' if row['steps'] == 1 else 'steps'}, {guided}"


class Judgement:
    def __init__(self, folder, numbers):
        self.numbers = numbers
        self.reference, teacher = self.rows_of(folder, "teacher")
        self.seeds = [row for row in teacher if row["seed"] != self.reference["seed"]]
        self.rivals = [row for row in teacher if row["seed"] == self.reference["seed"]]
        self.students = {}
        for name in STUDENTS:
            rows = self.rows_of(folder, name)[1]
            self.students[name] = {passes(row): row for row in rows}

    @staticmethod
    def rows_of(folder, name):
        with open(f"{folder}/{name}/quality.json", encoding="utf-8") as file:
            reference, *rows = json.load(file)["rows"]
        return reference, rows

    def teacher_at(self, number):
        """The teacher in so many passes, the nearest to the reference result first."""
        return sorted((row for row in self.rivals if passes(row) == number), key=distance)

    def beats(self, row):
        """Nearer to the reference result than the teacher however it is sampled, in latents by a margin and in frames."""
        others = self.teacher_at(passes(row))
        return distance(row) < MARGIN * distance(others[0]) and nearness(row) > max(map(nearness, others))

    def lacks(self, row):
        """Of what the row has less than the reference result: blur, which PSNR rewards."""
        return [word for word in ("sharpness", "movement") if row[word] < self.reference[word]]

    def won(self, name):
        return [number for number in self.numbers if self.beats(self.students[name][number])]

    def sentence(self):
        """Who won."""
        def rank(name):
            return -len(self.won(name)), mean(distance(self.students[name][number]) for number in self.numbers)

        best, *others = sorted(STUDENTS, key=rank)
        if not self.won(best):
            return (f"**Nobody won**: in {at(self.numbers)} no student comes nearer to the teacher's reference result than the "
                    "teacher itself in as many.")
        text = (f"**{STUDENTS[best]} won**: in {at(self.won(best))} it comes nearer to the teacher's reference result than the "
                "teacher itself in as many")
        lost = [number for number in self.numbers if number not in self.won(best)]
        text += f", and fails in {listed(lost)}." if lost else "."
        for name in others:
            won = self.won(name)
            text += f" {STUDENTS[name]} " + (f"does so in {listed(won)}." if won else "fails in all of them.")
        return text

    def nearest(self, number):
        name = min(STUDENTS, key=lambda name: distance(self.students[name][number]))
        row, rival = self.students[name][number], self.teacher_at(number)[0]
        lacks = self.lacks(row)
        return (f"- {at([number])}: {STUDENTS[name]} is the nearest student, {distance(row):.3f} ({nearness(row):.2f} dB), the "
                f"teacher comes to {distance(rival):.3f} ({nearness(rival):.2f} dB; {way(rival)})"
                + (f"; the student has less {listed(lacks)} than the reference result." if lacks else "."))

    def explanation(self):
        reference = self.reference
        return f"""
Distance is ‖x − x₁‖ / ‖x₁‖ of the clean latents x to those of the reference result x₁ (the teacher in {passes(reference)} passes:
{way(reference)}) from the same start, PSNR that of the frames to it, both means over people. A student beats the teacher where it is
nearer in both, the distance being less by a hundredth or more, than the teacher in as many passes, whichever its sampler, with
guidance or without; else it fails, whatever its other figures. From other starts (seeds {listed([row['seed'] for row in self.seeds])}) the teacher itself comes to a distance of {mean(map(distance, self.seeds)):.3f}
({mean(map(nearness, self.seeds)):.2f} dB): a yardstick for LCM, which draws noise from its second step on. Sharpness and movement are ratios to the
truth that should not be below those of the reference result, {reference['sharpness']:.3f} and {reference['movement']:.3f}. What follows them is measured
against the truth, to which the reference result has {reference['psnr']:.2f} dB. The phased student was trained for 4 phases; in other numbers
of passes it steps over the edges of its own."""

    def table(self, number):
        lines = [HEAD, ["---"] * len(HEAD)]

        def add(who, row, verdict):
            figure = "" if row["figure_psnr"] is None else f"{row['figure_psnr']:.2f}"
            lines.append((who, f"{distance(row):.4f}", f"{nearness(row):.2f}", f"{row['sharpness']:.3f}",
                          f"{row['movement']:.3f}", f"{row['psnr']:.2f}", f"{row['ssim']:.4f}", figure,
                          f"{row['consistency']:.4f}", verdict))

        for name, rows in self.students.items():
            row = rows[number]
            lacks = self.lacks(row)
            add(STUDENTS[name], row,
                ("beats the teacher" if self.beats(row) else "fails") + (f", less {listed(lacks)}" if lacks else ""))
        for row in self.teacher_at(number):
            add(f"teacher: {way(row)}", row, "")
        for row in self.teacher_at(2 * number):
            add(f"teacher: {way(row)}", row, "twice as many passes")
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main(folder, numbers, written):
    judgement = Judgement(folder, [int(number) for number in numbers.split()])
    print("# Measured: few steps\n")
    print(judgement.sentence() + "\n\n" + written + "\n")
    for number in judgement.numbers:
        print(judgement.nearest(number))
    print(judgement.explanation())
    for number in judgement.numbers:
        print(f"\n## {at([number])}\n\n{judgement.table(number)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
