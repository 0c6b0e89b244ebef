/* The command that `npuninja emu` runs does not outlive it: without the server there is no NPU. */
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Runs before the program, in the command itself only: what it starts does not get the variable, and what it executes in its
 * own place keeps the setting. */
__attribute__((constructor)) static void die_with_parent(void) {
    const char *parent = getenv("NPUNINJA_EMU_PARENT");
    if (!parent) return;
    pid_t pid = (pid_t)atol(parent);
    unsetenv("NPUNINJA_EMU_PARENT");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != pid) _exit(128 + SIGKILL); /* it is too late already */
}
