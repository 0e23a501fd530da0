// The picture of the person as the video shows it: stretched, cropped or with a border.
import * as api from './api.js';
import {make, setText} from './dom.js';

const kSide = 320;  // pixels of the longer one
const kSameShape = 0.02;  // nearly
const kWords = {stretch: 'stretched', crop: 'cropped around the person', pad: 'with a border'};

// "whole" or "left,top,right,bottom" in shares of the picture.
export function framingOf(text) {
  if (!text || text === 'whole') return {left: 0, top: 0, right: 1, bottom: 1};
  const [left, top, right, bottom] = text.split(',').map(Number);
  return {left, top, right, bottom};
}

class UaFrame extends HTMLElement {
  #shown = 0;

  connectedCallback() {
    this.canvas = make('canvas', {role: 'img', 'aria-label': 'The picture as the video shows it'});
    this.caption = make('figcaption', {className: 'hint'});
    this.append(make('figure', {}, this.canvas, this.caption));
    this.hidden = true;
  }

  // `plan`: what the server gives as a plan.
  async show(reference, plan) {
    const shown = ++this.#shown;
    const image = new Image();
    image.src = api.assetContent(reference.id);
    try {
      await image.decode();
    } catch {
      if (shown === this.#shown) this.hidden = true;  // a kind of picture that this browser does not know
      return;
    }
    if (shown !== this.#shown) return;
    const framing = framingOf(plan.request && plan.request.framing);
    const scale = kSide / Math.max(plan.request.width, plan.request.height);
    this.canvas.width = Math.round(plan.request.width * scale);
    this.canvas.height = Math.round(plan.request.height * scale);
    const context = this.canvas.getContext('2d');
    const across = this.canvas.width / (framing.right - framing.left);
    const down = this.canvas.height / (framing.bottom - framing.top);
    context.drawImage(image, -framing.left * across, -framing.top * down, across, down);
    const text = this.#sentence(image, framing, plan.request);
    setText(this.caption, text);
    this.canvas.setAttribute('aria-label', `The picture as the video shows it: ${text}`);
    this.hidden = false;
  }

  #sentence(image, framing, request) {
    const size = `${request.width}×${request.height}`;
    const cuts = framing.left > 0 || framing.top > 0 || framing.right < 1 || framing.bottom < 1;
    const pads = framing.left < 0 || framing.top < 0 || framing.right > 1 || framing.bottom > 1;
    const apart = Math.abs(Math.log(image.naturalWidth / image.naturalHeight * request.height / request.width));
    if (cuts || pads) return [size, ...(cuts ? [kWords.crop] : []), ...(pads ? [kWords.pad] : [])].join(', ');
    return apart > kSameShape ? `${size}, ${kWords.stretch}` : `${size}, the whole picture`;
  }
}

customElements.define('ua-frame', UaFrame);
