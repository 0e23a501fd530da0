// What runs and waits, and what ended without a video.
import * as api from './api.js';
import {make, soon} from './dom.js';
import {attempt, isSampling, secondsLeft, state} from './state.js';
import './ua-job.js';

const kSecond = 1000;
const kHighest = 100;

const kOrder = ['running', 'queued', 'failed', 'cancelled'];

// Priorities for waiting jobs in the wanted order, with as few changes as that takes. Jobs of one priority are taken in
// the order in which they were queued, which `before` gives.
export function prioritiesFor(order) {
  const priorities = order.map(job => job.priority);
  for (let i = order.length - 2; i >= 0; --i) {
    const earlier = order[i].queued < order[i + 1].queued;
    const least = priorities[i + 1] + (earlier ? 0 : 1);
    if (priorities[i] < least) priorities[i] = least;
  }
  const excess = Math.max(0, Math.max(...priorities) - kHighest);
  return priorities.map(priority => Math.max(-kHighest, priority - excess));
}

class UaQueue extends HTMLElement {
  #rows = new Map();

  connectedCallback() {
    this.empty = make('p', {className: 'hint'}, 'Nothing runs, and nothing waits.');
    this.list = make('div', {className: 'jobs'});
    this.append(this.empty, this.list);
    this.addEventListener('move', event => this.#move(event.target.job, event.detail));
    const show = soon(() => this.#show());
    for (const name of ['job', 'removed', 'reset', 'queue', 'draft']) state.addEventListener(name, show);
    // Time that is left runs on between two words of the server.
    setInterval(() => this.#show(), kSecond);
  }

  // Poses of the draft are shown where they are looked at.
  #jobs() {
    const isShown = job => (job.kind === 'animate' ? job.state !== 'completed'
      : job.kind === 'align' && job.id !== state.draft.posesJob && ['queued', 'running'].includes(job.state));
    // Positions change without a word of the job itself; this is the order in which workers take what waits.
    const priority = job => (job.state === 'queued' ? job.priority : 0);
    return [...state.jobs.values()].filter(isShown).sort((left, right) =>
      kOrder.indexOf(left.state) - kOrder.indexOf(right.state) || priority(right) - priority(left) ||
      left.queued.localeCompare(right.queued));
  }

  #show() {
    const jobs = this.#jobs();
    const waiting = this.#waiting(jobs);
    const focused = this.contains(document.activeElement) ? document.activeElement : null;
    this.empty.hidden = jobs.length > 0;
    for (const [id, row] of this.#rows) {
      if (jobs.some(job => job.id === id)) continue;
      if (row.contains(focused)) document.getElementById('queue').focus();
      row.remove();
      this.#rows.delete(id);
    }
    jobs.forEach((job, index) => {
      let row = this.#rows.get(job.id);
      if (!row) {
        row = document.createElement('ua-job');
        this.#rows.set(job.id, row);
      }
      if (this.list.children[index] !== row) this.list.insertBefore(row, this.list.children[index] || null);
      const line = waiting[job.kind];
      row.show(job, {index: line.indexOf(job), count: line.length, startsIn: this.#startsIn(job, line)});
    });
    if (focused && document.activeElement !== focused && this.contains(focused) && !focused.hidden) focused.focus();
  }

  // Poses and videos wait for workers of their own.
  #waiting(jobs) {
    const waiting = {animate: [], align: []};
    for (const job of jobs) {
      if (job.state === 'queued') waiting[job.kind].push(job);
    }
    return waiting;
  }

  // Only the next one's begin can be told: when the first of the workers is done, as far as that is known.
  #startsIn(job, waiting) {
    if (job !== waiting[0] || (state.queue && state.queue.paused)) return null;
    const running = [...state.jobs.values()].filter(each => each.state === 'running' && each.kind === job.kind);
    const left = running.map(secondsLeft);
    const workers = ((state.queue && state.queue.workers) || []).filter(worker => worker.lane === 'video').length;
    if (left.length === 0 || left.length < workers || left.includes(null)) return null;
    // What is told is of the phase; only in the long one it is nearly all.
    if (!running.every(each => isSampling(each.progress))) return null;
    return Math.max(0, Math.min(...left));
  }

  #move(job, by) {
    const waiting = this.#waiting(this.#jobs())[job.kind];
    const at = waiting.indexOf(job);
    const order = [...waiting];
    order.splice(at, 1);
    order.splice(at + by, 0, job);
    const priorities = prioritiesFor(order);
    return attempt(async () => {
      for (const [index, each] of order.entries()) {
        if (each.priority !== priorities[index]) {
          state.take(await api.changeJob(each.id, {priority: priorities[index]}));
        }
      }
    });
  }
}

customElements.define('ua-queue', UaQueue);
