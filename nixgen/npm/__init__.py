"""The npm side: what package-lock.json says, the archives of packages, and the section ``npm`` of the lock."""
