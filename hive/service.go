package hive

import (
	"slices"

	"unloop/hive/regf"
)

// Start types of a service (MS-SCMR).
const (
	StartBoot     = 0
	StartSystem   = 1
	StartAuto     = 2
	StartDemand   = 3
	StartDisabled = 4
)

// DefaultServices are the drivers Microsoft names as the cause.
func DefaultServices() []string { return []string{"haspnt", "hardlock"} }

// otherServices are of the same makers; they are shown, never judged.
var otherServices = []string{
	"akshasp", "akshhl", "aksusb", "aksfridge", "aksdf", "hasplms", "HASP Loader", "HLServer",
	"Sentinel", "SNTNLUSB", "SentinelProtectionServer", "SentinelKeysServer", "SentinelSecurityRuntime",
}

func containsName(names []string, name string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return regf.EqualNames(n, name) })
}

// services reads the services of one control set: those wanted, the others of the
// same makers, and who depends on the wanted ones.
func (f *Findings) services(h *Hive, set uint32, wanted []string) error {
	k, path, ok, err := h.key(ControlSetName(set), "Services")
	if err != nil || !ok {
		return err
	}
	keys, err := k.Subkeys()
	if err != nil {
		return err
	}
	groups := map[string]string{} // load order group → the wanted service in it
	for _, sub := range keys {
		name := sub.Name()
		isWanted, isSuspect := containsName(wanted, name), containsName(DefaultServices(), name)
		if !isWanted && !isSuspect && !containsName(otherServices, name) {
			continue
		}
		s, group, err := readService(sub, set, path)
		if err != nil {
			return err
		}
		if isSuspect {
			f.suspects = append(f.suspects, s)
		}
		if !isWanted {
			if !isSuspect {
				f.Others = append(f.Others, s)
			}
			continue
		}
		f.Services = append(f.Services, s)
		if group != "" {
			groups[group] = name
		}
	}
	return f.dependents(keys, set, wanted, groups)
}

func readService(k regf.Key, set uint32, parent []string) (s Service, group string, err error) {
	s = Service{Set: set, Path: append(slices.Clone(parent), k.Name()), Name: k.Name()}
	if _, s.Start, err = value(k, "Start"); err != nil {
		return s, "", err
	}
	_, image, err := value(k, "ImagePath")
	if err != nil {
		return s, "", err
	}
	s.ImagePath = image.text()
	_, g, err := value(k, "Group")
	return s, g.text(), err
}

// dependents lists the services that name a wanted one in DependOnService, or its
// load order group in DependOnGroup.
func (f *Findings) dependents(keys []regf.Key, set uint32, wanted []string, groups map[string]string) error {
	for _, k := range keys {
		_, on, err := value(k, "DependOnService")
		if err != nil {
			return err
		}
		for _, name := range on.list() {
			if containsName(wanted, name) && f.hasService(set, name) {
				f.Dependents = append(f.Dependents, Dependent{set, k.Name(), name, "DependOnService"})
			}
		}
		_, onGroup, err := value(k, "DependOnGroup")
		if err != nil {
			return err
		}
		for _, name := range onGroup.list() {
			for group, service := range groups {
				if regf.EqualNames(group, name) {
					f.Dependents = append(f.Dependents, Dependent{set, k.Name(), service, "DependOnGroup"})
				}
			}
		}
	}
	return nil
}

func (f *Findings) hasService(set uint32, name string) bool {
	return slices.ContainsFunc(f.Services, func(s Service) bool {
		return s.Set == set && regf.EqualNames(s.Name, name)
	})
}
