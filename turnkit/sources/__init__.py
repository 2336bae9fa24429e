"""Turn sources: who decides that a turn starts or ends. One file each, named as on `--source`."""
