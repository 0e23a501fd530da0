// Videos are removed with the poses that they alone were made from, and poses with the draft for which they were made.
// Pictures and motions that no job needs go by themselves in time: drafts of other pages may hold them.
import * as api from './api.js';
import {isSure} from './dom.js';
import {labelOf, state} from './state.js';

const videos = () => [...state.jobs.values()].filter(job => job.kind === 'animate');
// So long ago poses have to have been made to go with the last video of theirs: another page may be about to make one.
const kMayBeWanted = 3600 * 1000;

// True where they are gone; the server keeps those that a job of which the page does not know is about to take.
async function removePoses(id) {
  if (state.isGone(id)) return true;
  try {
    await api.removeJob(id);
  } catch (error) {
    if (!(error instanceof api.Problem) || ![404, 409].includes(error.status)) throw error;
    if (error.status === 409) return false;
  }
  state.drop(id);
  return true;
}

// False where somebody thought better of it.
export async function removeVideo(job) {
  if (!await isSure(`Delete “${labelOf(job)}” and what was made for it?`, 'Delete')) return false;
  await api.removeJob(job.id);
  state.drop(job.id);
  const poses = state.jobs.get(job.poses_job);
  const isTaken = () => poses.id === state.draft.posesJob || videos().some(video => video.poses_job === poses.id);
  if (!poses || isTaken()) return true;
  if (Date.parse(poses.finished) < Date.now() - kMayBeWanted) await removePoses(poses.id);
  else state.changeDraft({made: [...new Set([...state.draft.made || [], poses.id])]});
  return true;
}

// Poses that the page made for drafts that are no more. Those that a video takes go with it.
export async function removeOldPoses() {
  // Before all jobs are known nothing can be said to be unused.
  if (!state.isWhole) return;
  for (const id of state.draft.made || []) {
    if (id === state.draft.posesJob) continue;
    try {
      if (!videos().some(video => video.poses_job === id) && !await removePoses(id)) continue;
    } catch (error) {
      // The next draft tries again.
      if (error instanceof api.Problem) continue;
      throw error;
    }
    state.changeDraft({made: state.draft.made.filter(each => each !== id)});
  }
}
