// The server's events, followed while somebody looks at the page. A browser keeps few connections to one server, six with
// HTTP/1.1, and each stream takes one: of the pages that nobody sees, one alone keeps following.
import * as api from './api.js';

const kUnseenMilliseconds = 5000;
const kUnseenOne = 'unianimate-unseen';

export class Stream {
  #handlers;
  #since = null;  // the last revision that was told; null before it is known from where to follow
  #source = null;
  #timer = null;
  #turn = null;  // of the page among those that are not seen

  // As those of api.events, but for `told`; `rests` is called where the page no longer follows.
  constructor(handlers) {
    this.#handlers = {
      ...handlers,
      told: revision => { this.#since = revision; },
      connection: (open, closed) => {
        if (closed) this.#close();
        handlers.connection(open, closed);
      },
    };
    document.addEventListener('visibilitychange', () => this.#look());
  }

  // All that comes after a revision.
  follow(since) {
    this.#since = since;
    this.#close();
    this.#open();
    this.#look();
  }

  #open() {
    if (this.#since !== null) this.#source ??= api.events(this.#since, this.#handlers);
  }

  #close() {
    if (this.#source) this.#source.close();
    this.#source = null;
  }

  #look() {
    clearTimeout(this.#timer);
    this.#endTurn();
    if (document.hidden) this.#timer = setTimeout(() => this.#rest(), kUnseenMilliseconds);
    else this.#open();
  }

  #endTurn() {
    if (this.#turn) this.#turn.abort();
    this.#turn = null;
  }

  #rest() {
    this.#close();
    this.#handlers.rests();
    // Only where the address is one of this machine or encrypted there are locks.
    if (!navigator.locks) return;
    const turn = this.#turn = new AbortController();
    const {signal} = turn;
    navigator.locks.request(kUnseenOne, {signal}, () => {
      if (signal.aborted) return null;
      this.#open();
      return new Promise(resolve => { signal.addEventListener('abort', resolve); });
    }).catch(() => {});
  }
}
