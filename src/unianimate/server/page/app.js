// Puts the page together: session, events, title, header and notifications.
import * as api from './api.js';
import {button, bytes, setText, soon} from './dom.js';
import {askForToken} from './session.js';
import {attempt, isSampling, labelOf, part, phaseOf, say, state} from './state.js';
import {Stream} from './stream.js';
import './ua-drop.js';
import './ua-poses.js';
import './ua-settings.js';
import './ua-plan.js';
import './ua-queue.js';
import './ua-history.js';

const kReconnectMilliseconds = 3000;

// Null where pages can make none: phones leave that to service workers, and say so only when it is tried.
function notify(text, tag) {
  try {
    return new Notification('unianimate', {body: text, tag});
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return null;
  }
}

function announceEnd(job) {
  if (job.kind !== 'animate') return;
  const ends = {completed: 'is done', failed: 'failed', cancelled: 'was cancelled'};
  const text = `${labelOf(job)} ${ends[job.state]}.`;
  setText(document.getElementById('announcement'), text);
  const allowed = 'Notification' in window && Notification.permission === 'granted';
  if (job.state !== 'cancelled' && allowed && document.hidden) {
    notify(text, job.id);
  }
}

// Only of sampling is a percentage one of nearly all the work.
function progressOf(job) {
  const {phase} = job.progress;
  if (!isSampling(job.progress) || part(job) === null) return phaseOf(job.progress, false);
  const percentage = `${Math.floor(100 * part(job))} %`;
  return phase.includes('/') ? `${percentage} of part ${phase.split(' ')[1]}` : percentage;
}

function showTitle() {
  const running = [...state.jobs.values()].find(job => job.kind === 'animate' && job.state === 'running' && job.progress);
  document.title = running ? `${progressOf(running)} · unianimate` : 'unianimate';
}

function showHeader() {
  const jobs = [...state.jobs.values()].filter(job => job.kind !== 'plan');
  const running = jobs.filter(job => job.state === 'running').length;
  const waiting = jobs.filter(job => job.state === 'queued').length;
  const parts = [`${running} running`, `${waiting} waiting`];
  for (const worker of (state.queue && state.queue.workers) || []) {
    if (worker.lane === 'video') parts.push([worker.device, worker.dtype].filter(Boolean).join(' '));
  }
  const disk = state.system && state.system.disk;
  if (disk && Number.isFinite(disk.free_bytes)) parts.push(`${bytes(disk.free_bytes)} free on disk`);
  setText(document.getElementById('status'), parts.join(' · '));
  const paused = Boolean(state.queue && state.queue.paused);
  const pause = document.getElementById('pause');
  setText(pause, paused ? 'Let queue go on' : 'Pause queue');
  pause.disabled = !state.queue;
  document.getElementById('paused').hidden = !paused;
}

// The token of the address is traded for a cookie, and does not stay in the address or the history.
async function useTokenOfAddress() {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (!token) return;
  history.replaceState(null, '', location.pathname);
  try {
    await api.openSession(token);
  } catch (problem) {
    say(problem.message);
  }
}

// Who could not reach the server tries again once it is back.
function showAway(away) {
  const banner = document.getElementById('offline');
  const back = !banner.hidden && !away;
  banner.hidden = !away;
  if (back) state.tell('back');
}

const stream = new Stream({
  job: job => state.take(job),
  removed: removed => state.drop(removed.id),
  queue: queue => {
    state.queue = queue;
    // Told once all that has changed is.
    state.isWhole = true;
    state.tell('queue');
  },
  reset: () => {
    state.isWhole = false;
    state.jobs.clear();
    state.tell('reset');
  },
  connection: (open, closed) => {
    showAway(!open);
    if (closed) setTimeout(start, kReconnectMilliseconds);
  },
  // A percentage that stands still would be wrong soon.
  rests: () => { document.title = 'unianimate'; },
});

// What was said while the page could not begin.
let refused = '';

async function start() {
  try {
    state.system = await api.system();
    state.tell('system');
    stream.follow(await state.load());
    // What was in the way is no longer.
    if (refused && document.getElementById('message').textContent === refused) say('');
    refused = '';
    document.documentElement.dataset.ready = 'yes';
  } catch (error) {
    if (!(error instanceof api.Problem)) throw error;
    if (error.status === 401) {
      showAway(false);
      await askForToken();
      return start();
    }
    showAway(api.isAway(error));
    if (!api.isAway(error)) say(refused = error.message);
    setTimeout(start, kReconnectMilliseconds);
  }
  return undefined;
}

function offerNotifications() {
  const place = document.getElementById('notify');
  if (!('Notification' in window) || Notification.permission !== 'default') return;
  // Nobody sees one for which nobody was asked.
  if (notify('', '') === null) return;
  const ask = button('Notify me when done', async () => {
    await Notification.requestPermission();
    ask.remove();
  });
  place.append(ask);
}

function keepTitleShown() {
  const show = soon(() => {
    showTitle();
    showHeader();
  });
  for (const name of ['job', 'removed', 'reset', 'queue', 'system']) state.addEventListener(name, show);
}

async function main() {
  state.addEventListener('over', event => announceEnd(event.detail));
  keepTitleShown();
  offerNotifications();
  document.getElementById('pause').onclick = () => attempt(async () => {
    state.queue = await api.pauseQueue(!state.queue.paused);
    state.tell('queue');
  });
  state.restoreDraft();
  await useTokenOfAddress();
  await start();
}

main();
