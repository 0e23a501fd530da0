// One file of the draft: dropped, chosen, pasted or taken with the camera; sent at once, with progress.
import * as api from './api.js';
import {hasCamera, takePicture} from './camera.js';
import {button, bytes, make, newId, setText} from './dom.js';
import {askForToken} from './session.js';
import {isAbort, say, state} from './state.js';

const kKinds = {
  reference: {
    title: 'Picture of the person',
    accept: 'image/*',
    camera: true,
    takes: type => type.startsWith('image/') && type !== 'image/gif',
    example: {file: 'example-person.png', name: 'example person.png'},
  },
  motion: {
    title: 'Video of the motion',
    accept: 'video/*,image/gif,.mkv,application/json',
    takes: type => type.startsWith('video/') || type === 'image/gif' || type === 'application/json',
    example: {file: 'example-motion.mp4', name: 'example motion.mp4'},
  },
};

class UaDrop extends HTMLElement {
  #upload = null;
  #asset = null;
  #refusal = '';  // of what was sent last

  get #kind() {
    return kKinds[this.getAttribute('kind')];
  }

  connectedCallback() {
    this.#build();
    for (const name of ['dragenter', 'dragover']) {
      this.addEventListener(name, event => {
        event.preventDefault();
        this.classList.add('over');
      });
    }
    this.addEventListener('dragleave', event => {
      if (!this.contains(event.relatedTarget)) this.classList.remove('over');
    });
    this.addEventListener('drop', event => {
      event.preventDefault();
      this.classList.remove('over');
      const file = event.dataTransfer.files[0];
      if (file) this.send(file, file.name);
    });
    document.addEventListener('paste', event => {
      const file = Array.from(event.clipboardData.files).find(each => this.#kind.takes(each.type));
      if (file) this.send(file, file.name || `pasted ${this.getAttribute('kind')}`);
    });
    state.addEventListener('draft', () => this.#show());
    state.addEventListener('errors', () => this.#showError());
    this.#show();
  }

  #build() {
    const errorId = newId();
    const inputId = newId();
    this.error = make('p', {id: errorId, className: 'error', role: 'alert'});
    this.input = make('input', {
      type: 'file', id: inputId, accept: this.#kind.accept, 'aria-describedby': errorId,
      onchange: () => {
        const file = this.input.files[0];
        if (file) this.send(file, file.name);
        this.input.value = '';
      },
    });
    this.preview = make('div', {className: 'preview'});
    this.name = make('p', {className: 'name'});
    this.bar = make('progress', {max: 1, value: 0, hidden: true,
                                 'aria-label': `Sending ${this.#kind.title.toLowerCase()}`});
    this.stop = button('Stop sending', () => this.#upload && this.#upload.abort(), {hidden: true});
    this.example = button('Try with an example', () => this.#tryExample(),
                          {className: 'quiet', 'aria-label': `Try with an example: ${this.#kind.title.toLowerCase()}`});
    this.camera = button('Use the camera', () => this.#takePicture(), {hidden: !this.#kind.camera || !hasCamera()});
    this.trim = make('div', {className: 'trim'});
    this.append(make('label', {htmlFor: inputId}, this.#kind.title), this.preview, this.name, this.input,
                make('p', {className: 'hint'}, 'Choose a file, drop it here, or paste it.'),
                make('div', {className: 'buttons'}, this.example, this.camera), this.bar, this.stop, this.error, this.trim);
  }

  async send(file, name) {
    if (this.#upload) this.#upload.abort();
    this.#refuse('');
    const upload = api.upload(file, name, part => {
      this.bar.value = part;
      setText(this.name, `${name}: ${Math.floor(part * 100)} % of ${bytes(file.size)} sent`);
    });
    this.#upload = upload;
    this.bar.value = 0;
    this.#showSending(true);
    try {
      const asset = await upload.done;
      if (this.#upload !== upload) return;
      const kind = this.getAttribute('kind');
      if (asset && !this.#kind.takes(asset.type)) {
        this.#refuse(`${name} is ${asset.type}; a ${kind === 'motion' ? 'video' : 'picture'} is needed here.`);
      } else if (asset) {
        const change = {[kind]: {id: asset.id, name, type: asset.type, bytes: asset.bytes}};
        // Another motion has other times and other people.
        if (kind === 'motion') change.align = {};
        state.changeDraft(change);
      }
    } catch (problem) {
      if (this.#upload !== upload) return;
      if (problem.status === 401) {
        await askForToken();
        this.send(file, name);
        return;
      }
      this.#refuse(problem.message);
    } finally {
      if (this.#upload === upload) {
        this.#upload = null;
        this.#showSending(false);
        this.#showName();
      }
    }
  }

  #refuse(text) {
    this.#refusal = text;
    setText(this.error, text);
  }

  async #tryExample() {
    const {file, name} = this.#kind.example;
    try {
      const response = await fetch(file);
      await this.send(await response.blob(), name);
    } catch (error) {
      if (!isAbort(error)) say('The example could not be fetched from the server.');
    }
  }

  async #takePicture() {
    const picture = await takePicture();
    if (picture) await this.send(picture, 'picture of the camera.jpg');
  }

  #showSending(sending) {
    const focused = document.activeElement === this.stop;
    this.bar.hidden = !sending;
    this.stop.hidden = !sending;
    if (!sending && focused) this.input.focus();
  }

  #showName() {
    setText(this.name, this.#asset ? `${this.#asset.name}, ${bytes(this.#asset.bytes)}` : '');
  }

  #show() {
    const asset = state.draft[this.getAttribute('kind')];
    const shown = this.#asset ? this.#asset.id : null;
    this.#asset = asset;
    if (this.#upload === null) this.#showName();
    this.#showTimes();
    if ((asset ? asset.id : null) === shown) return;
    this.#refuse('');
    this.preview.replaceChildren();
    this.trim.replaceChildren();
    this.example.hidden = asset !== null;
    if (asset) this.#showContent(asset);
  }

  #showContent(asset) {
    const source = api.assetContent(asset.id);
    if (asset.type.startsWith('image/')) {
      this.preview.append(make('img', {src: source, alt: `${this.#kind.title}: ${asset.name}`}));
    } else if (asset.type.startsWith('video/')) {
      const video = make('video', {
        src: source, controls: true, muted: true, playsInline: true, preload: 'metadata',
        'aria-label': `${this.#kind.title}: ${asset.name}`,
      });
      this.preview.append(video);
      this.trim.append(this.#timeField('start', 'From', video), this.#timeField('end', 'to', video));
      this.#showTimes();
    }
  }

  #timeField(name, title, video) {
    const id = newId();
    const errorId = newId();
    const input = make('input', {
      type: 'number', min: 0, step: 0.1, id, name, inputMode: 'decimal', 'aria-describedby': errorId,
      placeholder: name === 'start' ? '0' : 'end',
      onchange: () => {
        const align = {...state.draft.align};
        delete align[name];
        if (input.value !== '') align[name] = Number(input.value);
        state.changeDraft({align});
      },
    });
    const here = button('here', () => {
      input.value = video.currentTime.toFixed(1);
      input.onchange();
    }, {className: 'quiet', 'aria-label': `${title} where the video stands`});
    return make('span', {className: 'field'}, make('label', {htmlFor: id}, title), input, ' s', here,
                make('span', {className: 'error', id: errorId, role: 'alert'}));
  }

  #showTimes() {
    for (const input of this.trim.querySelectorAll('input')) {
      const value = state.draft.align[input.name];
      input.value = value === undefined ? '' : value;
    }
  }

  #showError() {
    const own = `/${this.getAttribute('kind')}`;
    const error = state.errors.find(each => each.pointer === own);
    setText(this.error, error ? error.detail : this.#refusal);
    for (const input of this.trim.querySelectorAll('input')) {
      const told = state.errors.find(each => each.pointer === `/align/${input.name}`);
      setText(document.getElementById(input.getAttribute('aria-describedby')), told ? told.detail : '');
      input.setAttribute('aria-invalid', String(Boolean(told)));
    }
  }
}

customElements.define('ua-drop', UaDrop);
