"""The product's image as a cluster would pull it, built here on base images made of Debian's packages."""
