package scenario

import osexec "os/exec"

func exec(argv ...string) (string, error) {
	b, err := osexec.Command(argv[0], argv[1:]...).CombinedOutput()
	return string(b), err
}
