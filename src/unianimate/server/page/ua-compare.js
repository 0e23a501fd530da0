// A finished video beside its reference or its poses, with a line that is moved.
import * as api from './api.js';
import {make, newId} from './dom.js';
import {framingOf} from './ua-frame.js';

const kPlayed = ['mp4', 'webm'];
const kApart = 0.08;  // seconds that two videos may be apart

class UaCompare extends HTMLElement {
  show(job) {
    const label = job.label || 'the video';
    const {format} = job.request;
    if (!kPlayed.includes(format || 'mp4')) {
      // Pictures that move, and files that browsers do not play.
      this.replaceChildren(format === 'gif'
        ? make('img', {className: 'result', src: api.video(job.id), alt: `Result: ${label}`})
        : make('p', {}, `Browsers play no ${format}: download it.`));
      return;
    }
    this.result = make('video', {
      className: 'result', src: api.video(job.id), controls: true, loop: true, playsInline: true, preload: 'metadata',
      muted: true, 'aria-label': `Result: ${label}`,
    });
    this.pose = make('video', {className: 'other', muted: true, playsInline: true, preload: 'metadata', hidden: true,
                               src: api.poses(job.id, 'preview.mp4'), 'aria-hidden': 'true', tabIndex: -1});
    this.reference = this.#referenceOf(job);
    const sliderId = newId();
    this.slider = make('input', {type: 'range', id: sliderId, min: 0, max: 100, value: 0, step: 1,
                                 oninput: () => this.#move()});
    this.stage = make('div', {className: 'stage'}, this.result, this.reference, this.pose);
    this.line = make('div', {className: 'line'});
    this.stage.append(this.line);
    this.replaceChildren(this.stage, this.#choices(),
                         make('div', {className: 'field slide'}, make('label', {htmlFor: sliderId}, 'Compare'),
                              this.slider));
    this.#keepTogether();
    this.#move();
  }

  // The part of the picture that the video shows, where it shows it.
  #referenceOf(job) {
    const image = make('img', {src: api.assetContent(job.request.reference), alt: ''});
    const {left, top, right, bottom} = framingOf(job.result && job.result.framing);
    const percent = share => `${100 * share}%`;
    Object.assign(image.style, {
      left: percent(-left / (right - left)), top: percent(-top / (bottom - top)),
      width: percent(1 / (right - left)), height: percent(1 / (bottom - top)),
    });
    return make('div', {className: 'other'}, image);
  }

  #choices() {
    const group = newId();
    const choice = (title, other) => {
      const input = make('input', {type: 'radio', name: group, id: newId(), onchange: () => {
        this.reference.hidden = other !== this.reference;
        this.pose.hidden = other !== this.pose;
        if (Number(this.slider.value) === 0) this.slider.value = 50;
        this.#move();
      }});
      return make('span', {className: 'choice'}, input, make('label', {htmlFor: input.id}, title));
    };
    const reference = choice('reference', this.reference);
    const pose = choice('pose', this.pose);
    reference.querySelector('input').checked = true;
    this.pose.addEventListener('error', () => pose.remove());
    return make('fieldset', {className: 'choices'}, make('legend', {}, 'Beside the result'),
                make('div', {className: 'row'}, reference, pose));
  }

  // From 0, the result alone, to 100, the other alone.
  #move() {
    const at = Number(this.slider.value);
    for (const other of [this.reference, this.pose]) other.style.clipPath = `inset(0 ${100 - at}% 0 0)`;
    this.line.style.insetInlineStart = `${at}%`;
    this.line.hidden = at === 0 || at === 100;
    const words = {0: 'result alone', 100: 'result covered'};
    this.slider.setAttribute('aria-valuetext', words[at] || `${at} % covered`);
  }

  #keepTogether() {
    const {result, pose} = this;
    const follow = () => {
      if (Number.isFinite(pose.duration) && Math.abs(pose.currentTime - result.currentTime) > kApart) {
        pose.currentTime = Math.min(result.currentTime, pose.duration);
      }
    };
    result.addEventListener('play', () => pose.play().catch(() => {}));
    result.addEventListener('pause', () => pose.pause());
    for (const name of ['timeupdate', 'seeked']) result.addEventListener(name, follow);
  }
}

customElements.define('ua-compare', UaCompare);
