"""The services of Hireflow and the chassis they share."""
