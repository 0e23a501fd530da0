#include "unianimate/cli/session.h"

namespace unianimate::cli {

void add_commands(CLI::App& app, Session& session) {
  add_animate_command(app, session);
  add_align_command(app, session);
  add_run_command(app, session);
  add_resume_command(app, session);
  add_job_command(app, session);
  add_evaluate_command(app, session);
  add_puppet_command(app, session);
  add_train_command(app, session);
  add_models_command(app, session);
}

}  // namespace unianimate::cli
