/* The command that `npuninja emu` runs does not outlive it: without the server there is no NPU. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

extern char **environ;

/* The value of a variable, which is gone from the environment then. By hand, because programs have a getenv
 * and unsetenv of their own: bash's know nothing of the environment it was started with, and hand it on. */
static const char *take_out(const char *start) {
    const char *value = 0;
    char **to = environ;
    if (!environ) return 0;
    for (char **from = environ; *from; from++) {
        if (strncmp(*from, start, strlen(start)) == 0)
            value = *from + strlen(start);
        else
            *to++ = *from;
    }
    *to = 0;
    return value;
}

/* Runs before the program, in the command itself only: what it starts does not get the variable, and what it
 * executes in its own place keeps the setting. */
__attribute__((constructor)) static void die_with_parent(void) {
    const char *parent = take_out("NPUNINJA_EMU_PARENT=");
    if (!parent) return;
    pid_t pid = (pid_t)atol(parent);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != pid) _exit(128 + SIGKILL); /* it is too late already */
}
